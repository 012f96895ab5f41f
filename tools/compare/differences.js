'use strict'
// What differs between two answers. Kinds: status, type (of a value or of the content), lacks (ours
// has not what MPS has), adds (ours has more), length (of arrays), value.

/// Values that two runs cannot share: only their type is compared.
const own = /(^|\.)(token|RelatesTo|MessageID|mpsInstance|lastConnected|lastSeen|lastDisconnected|serviceVersion)$/
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/

const kindOf = (v) => (v === null ? 'null' : Array.isArray(v) ? 'array' : typeof v)

/// All elements of an array as one, for lists whose contents are each server's own doing (logs).
function union (items) {
  const out = {}
  for (const i of items) {
    if (kindOf(i) !== 'object') return i
    for (const k of Object.keys(i)) if (out[k] === undefined || out[k] === null) out[k] = i[k]
  }
  return out
}

/// The validators' list: one of each field, whatever the order and however many checks failed.
function byField (errors) {
  const out = {}
  for (const e of errors) if (e && typeof e === 'object' && !(e.path in out)) out[e.path] = e
  return out
}

function differences (step, mps, ours) {
  const out = []
  const add = (where, kind, a, b) => out.push({ where, kind, mps: a, ours: b })

  function walk (where, a, b) {
    const ka = kindOf(a)
    const kb = kindOf(b)
    if (ka !== kb) {
      add(where, 'type', a, b)
    } else if (ka === 'array') {
      if (where === 'errors') return walk(where, byField(a), byField(b))
      if (step.shapeOnly) {
        if (a.length && b.length) walk(`${where}[]`, union(a), union(b))
        else if (a.length || b.length) add(where, 'length', a.length, b.length)
        return
      }
      if (a.length !== b.length) add(where, 'length', a, b)
      for (let i = 0; i < Math.min(a.length, b.length); i++) walk(`${where}[${i}]`, a[i], b[i])
    } else if (ka === 'object') {
      const dot = where === '' ? '' : where + '.'
      for (const k of Object.keys(a)) {
        if (k in b) walk(dot + k, a[k], b[k])
        else add(dot + k, 'lacks', a[k], undefined)
      }
      for (const k of Object.keys(b)) if (!(k in a)) add(dot + k, 'adds', undefined, b[k])
    } else if (a !== b && !step.shapeOnly && !own.test(where) && !(ka === 'string' && time.test(a) && time.test(b))) {
      add(where, 'value', a, b)
    }
  }

  if (mps.status !== ours.status) add('(status)', 'status', mps.status, ours.status)
  if (mps.type !== ours.type) add('(content type)', 'type', mps.type, ours.type)
  else if (mps.body !== undefined) walk('', mps.body, ours.body)
  else if (step.text && !(step.text.test(mps.text) && step.text.test(ours.text))) add('(text)', 'value', mps.text, ours.text)
  return out
}

module.exports = { differences }
