'use strict'
// One of the two servers: signs in, calls, reads the answer.
const http = require('http')
const https = require('https')

const LIMIT = 4 << 20 // octets of an answer
const PATIENCE = 60000 // ms; MPS itself waits for ever for a mute machine

function server (base, ca) {
  const url = new URL(base)
  const secure = url.protocol === 'https:'
  const agent = new (secure ? https : http).Agent({ keepAlive: true, ca })

  function send (method, path, headers, text) {
    return new Promise((resolve, reject) => {
      const started = Date.now()
      const q = (secure ? https : http).request(
        { agent, host: url.hostname, port: url.port, method, path: url.pathname.replace(/\/$/, '') + path, headers, timeout: PATIENCE },
        (r) => {
          const parts = []
          let size = 0
          r.on('data', (d) => {
            size += d.length
            if (size > LIMIT) q.destroy(new Error('the answer is too long'))
            parts.push(d)
          })
          r.on('error', reject)
          r.on('end', () => resolve({ status: r.statusCode, type: (r.headers['content-type'] || '').split(';')[0], text: Buffer.concat(parts).toString('utf8'), ms: Date.now() - started }))
        })
      q.on('timeout', () => q.destroy(new Error(`no answer within ${PATIENCE / 1000} s: ${method} ${path}`)))
      q.on('error', reject)
      q.end(text)
    })
  }

  const self = {
    async call (step, known) {
      const fill = (s) => s.replace(/\{(\w+)\}/g, (_, k) => encodeURIComponent(String(known[k])))
      const headers = {}
      if (!step.open) headers.authorization = `Bearer ${self.token}`
      const body = typeof step.body === 'function' ? step.body(known) : step.body
      let text = step.raw
      if (body !== undefined) text = JSON.stringify(body)
      if (text !== undefined) {
        headers['content-type'] = 'application/json'
        headers['content-length'] = Buffer.byteLength(text)
      }
      const a = await send(step.method, fill(step.path), headers, text)
      if (a.type === 'application/json') {
        try {
          a.body = JSON.parse(a.text)
        } catch (e) {
          a.type = 'application/json that is none'
        }
      }
      return a
    },
    async signIn () {
      const a = await self.call({ method: 'POST', path: '/api/v1/authorize', open: true, body: { username: self.user, password: self.password } }, {})
      if (a.status !== 200 || !a.body || !a.body.token) throw new Error(`${base} does not let ${self.user} in: ${a.status} ${a.text.slice(0, 200)}`)
      self.token = a.body.token
    }
  }
  return self
}

module.exports = { server }
