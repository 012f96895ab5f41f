'use strict'
// The calls, in order. {name} in a path is what the run knows: guid, or what a step has learned.

/// A P-256 certificate of CN "Outband comparison", valid until 2126, and one that ended in 2002.
const certificate = 'MIIBkTCCATegAwIBAgIUK8R8QXE+j9DY/IK5/146r4vFNLowCgYIKoZIzj0EAwIwHTEbMBkGA1UEAwwST3V0YmFuZCBjb21wYXJpc29uMCAXDTI2MTEyMTEyMzQzMloYDzIxMjYxMDI4MTIzNDMyWjAdMRswGQYDVQQDDBJPdXRiYW5kIGNvbXBhcmlzb24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASrBBmWJjtyhvpLusVrENriGexY6ZgQwbCz5DWm0BvZ3ujVkSUShGXGkaca6diQHM0gcA5/tv+m6o2masp8vAAoo1MwUTAdBgNVHQ4EFgQUoFtyNVyM2GxfdwFCw7uQKqoAZZkwHwYDVR0jBBgwFoAUoFtyNVyM2GxfdwFCw7uQKqoAZZkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAqGBLaJeokRqJ1V+JHUr0aAXbXXls3e0gWoqq3C7VE3gCIG4uSx6r7maVG/ef+GzA6ufPKvTMHLAZ+UMlgCjKqkr3'
const expired = 'MIIBNzCB3aADAgECAgEHMAoGCCqGSM49BAMCMCUxIzAhBgNVBAMMGk91dGJhbmQgY29tcGFyaXNvbiBleHBpcmVkMB4XDTAxMDEwMTAwMDAwMFoXDTAyMDEwMTAwMDAwMFowJTEjMCEGA1UEAwwaT3V0YmFuZCBjb21wYXJpc29uIGV4cGlyZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ03dzzh/hm3uDGe7BE00sm8nUHvWXzlKm0sgsTI+gLIBXmAEZDwejPBX9uQrw7/VbpjyYOiT3/7H/jyoxdQEkdMAoGCCqGSM49BAMCA0kAMEYCIQCx4O9atwyuh/07wIrwmJsrVmBWezlegJbXiu478cMgZQIhAKkYeGLVC5mT54FLKC9ss3o9UYQKR5c0TJlxWd7hvvUx'

const none = '00000000-dead-4bad-8000-000000000001' // registered nowhere
const ours = 'c0c0c0c0-1111-4222-8333-444444444444' // the row that is added and deleted

const step = (method, path, more = {}) => ({ method, path: `/api/v1${path}`, name: `${method} ${path}${more.note ? ` (${more.note})` : ''}`, ...more })
const get = (path, more) => step('GET', path, more)
const post = (path, body, more) => step('POST', path, { body, ...more })
const patch = (path, body, more) => step('PATCH', path, { body, ...more })
const put = (path, body, more) => step('PUT', path, { body, ...more })
const del = (path, more) => step('DELETE', path, more)

const notJson = '{"a":'

/// What is not about one machine, and mistakes.
function registry (guids) {
  return [
    ...guids.flatMap((guid) => [
      patch('/devices', { guid, hostname: `compared-${guid.slice(0, 4)}`, tags: ['compared', guid.slice(0, 4)], friendlyName: null, dnsSuffix: null, deviceInfo: { fwVersion: '16.1.25' } }, { keep: true, note: 'same rows' })
    ]),
    get('/version', { open: true }),
    get('/health', { open: true }),
    get('/ciracert', { open: true, text: /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/ }),
    post('/authorize', (k) => ({ username: k.user, password: k.password }), { open: true, note: 'right' }),
    post('/authorize', { username: 'nobody', password: 'wrong' }, { open: true, note: 'wrong' }),
    post('/authorize', { username: 'nobody' }, { open: true, note: 'no password' }),
    post('/authorize', {}, { open: true, note: 'empty' }),
    step('POST', '/authorize', { open: true, raw: notJson, note: 'not JSON' }),
    get('/authorize/redirection/{guid}'),
    get(`/authorize/redirection/${none}`, { note: 'unknown' }),
    get('/authorize/redirection/nonsense', { note: 'no GUID' }),
    get('/nowhere', { note: 'unknown route' }),
    get('/amt/nowhere/{guid}', { note: 'unknown route' }),

    get('/devices'),
    get('/devices?$count=true'),
    get('/devices?$top=1&$skip=1&$count=true'),
    get('/devices?$top=1'),
    get('/devices?$skip=100'),
    get('/devices?$top=-1', { note: 'bad' }),
    get('/devices?$top=x&$skip=y', { note: 'bad' }),
    get('/devices?$count=maybe', { note: 'bad' }),
    get('/devices?tags=compared&method=AND'),
    get('/devices?tags=compared,nowhere&method=AND'),
    get('/devices?tags=compared,nowhere&method=OR'),
    get('/devices?tags=compared&method=XOR', { note: 'bad' }),
    get('/devices?status=1'),
    get('/devices?status=0'),
    get('/devices?status=2', { note: 'bad' }),
    get('/devices?hostname=nobody'),
    get('/devices?friendlyName=nobody'),
    get('/devices/stats'),
    get('/devices/tags'),
    get('/devices/{guid}'),
    get(`/devices/${none}`, { note: 'unknown' }),
    get('/devices/nonsense', { note: 'no GUID' }),
    post('/devices', { guid: ours, hostname: 'added', tags: ['b', 'a'], mpsusername: 'cira', mpspassword: 'Aa1!unused0', amtpassword: 'Aa1!unused0', deviceInfo: { fwVersion: '16.1.25', own: { any: [1] } } }, { note: 'new' }),
    get(`/devices/${ours}`),
    post('/devices', { guid: ours, hostname: 'merged' }, { note: 'again' }),
    patch('/devices', { guid: ours, friendlyName: 'Friend', tags: ['c'], dnsSuffix: 'example.com' }),
    patch('/devices', { guid: none, hostname: 'x' }, { note: 'unknown' }),
    get('/devices?hostname=merged'),
    get('/devices?friendlyName=Friend'),
    get('/devices?tags=c'),
    get('/devices/stats', { note: 'with the new one' }),
    get('/devices/tags', { note: 'with the new one' }),
    post('/devices', {}, { note: 'empty' }),
    post('/devices', { guid: 'nonsense', hostname: 5, tags: 'a', dnsSuffix: 'a..b', deviceInfo: 'x', friendlyName: 7, mpsusername: [] }, { note: 'all bad' }),
    patch('/devices', { guid: ours, tags: ['a', 5] }, { note: 'a tag that is none' }),
    patch('/devices', { guid: ours, hostname: 'x'.repeat(256), connect: 'then' }, { note: 'too long' }),
    step('POST', '/devices', { raw: notJson, note: 'not JSON' }),
    get(`/devices/redirectstatus/${ours}`, { note: 'not connected' }),
    del(`/devices/disconnect/${ours}`, { note: 'not connected' }),
    del(`/devices/refresh/${ours}`, { note: 'not connected' }),
    del(`/devices/${ours}?isSecretToBeDeleted=true`),
    del(`/devices/${ours}?isSecretToBeDeleted=true`, { note: 'again' }),
    get('/devices/redirectstatus/nonsense', { note: 'no GUID' }),
    del('/devices/nonsense', { note: 'no GUID' }),

    // A machine that is not there: mistakes of the body come first.
    ...reads.map((path) => get(path.replace('{guid}', none), { note: 'unknown' })),
    get('/amt/version/nonsense', { note: 'no GUID' }),
    get('/amt/power/state/nonsense', { note: 'no GUID' }),
    post(`/amt/power/action/${none}`, { action: 8 }, { note: 'unknown' }),
    post(`/amt/features/${none}`, { userConsent: 'all', enableSOL: true, enableIDER: true, enableKVM: true }, { note: 'unknown' }),
    del(`/amt/deactivate/${none}`, { note: 'unknown' }),
    del(`/amt/alarmOccurrences/${none}`, { body: { Name: 'x' }, note: 'unknown' }),
    ...[
      ['POST', '/amt/power/action/'], ['POST', '/amt/power/bootOptions/'], ['POST', '/amt/features/'], ['POST', '/amt/userConsentCode/'],
      ['POST', '/amt/network/linkPreference/'], ['PATCH', '/amt/networkSettings/wired/'], ['POST', '/amt/networkSettings/wireless/state/'],
      ['POST', '/amt/networkSettings/wireless/profileSync/'], ['POST', '/amt/networkSettings/wireless/profile/'],
      ['PATCH', '/amt/networkSettings/wireless/profile/'], ['POST', '/amt/certificates/'], ['PUT', '/amt/kvm/displays/'], ['POST', '/amt/alarmOccurrences/']
    ].flatMap(([m, p]) => [
      step(m, p + none, { body: {}, note: 'empty body' }),
      step(m, p + none, { raw: notJson, note: 'not JSON' })
    ]),
    post(`/amt/power/action/${none}`, { action: 9 }, { note: 'bad' }),
    post(`/amt/power/action/${none}`, { action: 'x' }, { note: 'bad' }),
    post(`/amt/power/bootOptions/${none}`, { action: 2, useSOL: false }, { note: 'bad' }),
    post(`/amt/power/bootOptions/${none}`, { action: 105, useSOL: false, bootDetails: { url: 'nonsense' } }, { note: 'bad' }),
    post(`/amt/features/${none}`, { userConsent: 'ALL', enableSOL: 'x', enableIDER: 2, enableKVM: null, ocr: 'y' }, { note: 'bad' }),
    post(`/amt/userConsentCode/${none}`, { consentCode: 'abc' }, { note: 'bad' }),
    get(`/amt/log/audit/${none}?startIndex=-1`, { note: 'bad' }),
    get(`/amt/log/audit/${none}?startIndex=x`, { note: 'bad' }),
    post(`/amt/network/linkPreference/${none}`, { linkPreference: 3, timeout: -1 }, { note: 'bad' }),
    patch(`/amt/networkSettings/wired/${none}`, { dhcpEnabled: 'x', ipSyncEnabled: 'y', ipAddress: '1.2.3', subnetMask: 'a', defaultGateway: 'b', primaryDNS: 'c', secondaryDNS: 'd' }, { note: 'bad' }),
    post(`/amt/networkSettings/wireless/state/${none}`, { state: 'On' }, { note: 'bad' }),
    post(`/amt/networkSettings/wireless/profileSync/${none}`, { localProfileSync: 'x', uefiProfileSync: 1 }, { note: 'bad' }),
    post(`/amt/networkSettings/wireless/profile/${none}`, { profileName: 'a b', ssid: '', priority: 0, authenticationMethod: '', encryptionMethod: 5, password: 7, ieee8021x: 'x' }, { note: 'bad' }),
    post(`/amt/networkSettings/wireless/profile/${none}`, { profileName: 'a', ssid: 's', priority: 1, authenticationMethod: 'WPA2IEEE8021x', encryptionMethod: 'CCMP', ieee8021x: { username: '', authenticationProtocol: 1 } }, { note: 'bad 802.1x' }),
    post(`/amt/certificates/${none}`, { cert: 'bm9uc2Vuc2U=', isTrusted: 'x' }, { note: 'bad' }),
    post(`/amt/certificates/${none}`, { cert: expired, isTrusted: true }, { note: 'expired' })
  ]
}

/// Every GET of a machine.
const reads = [
  '/devices/redirectstatus/{guid}', '/amt/version/{guid}', '/amt/generalSettings/{guid}', '/amt/hardwareInfo/{guid}', '/amt/power/state/{guid}',
  '/amt/power/capabilities/{guid}', '/amt/power/bootSources/{guid}', '/amt/features/{guid}', '/amt/alarmOccurrences/{guid}',
  '/amt/certificates/{guid}', '/amt/kvm/displays/{guid}', '/amt/networkSettings/{guid}', '/amt/networkSettings/wired/{guid}',
  '/amt/networkSettings/wireless/state/{guid}', '/amt/networkSettings/wireless/profileSync/{guid}', '/amt/networkSettings/wireless/profile/{guid}'
]

const profile = (more) => ({ profileName: 'compared', ssid: 'Compared', priority: 9, authenticationMethod: 'WPA2PSK', encryptionMethod: 'CCMP', password: 'compared-passphrase', ...more })
const wired = '/amt/networkSettings/wired/{guid}'
const state = '/amt/networkSettings/wireless/state/{guid}'
const sync = '/amt/networkSettings/wireless/profileSync/{guid}'
const profiles = '/amt/networkSettings/wireless/profile/{guid}'
const alarms = '/amt/alarmOccurrences/{guid}'
const consent = '/amt/userConsentCode/{guid}'
const features = '/amt/features/{guid}'

/// Until the machine answers again: after a reset its tunnel may be away for a moment.
async function back (server, known) {
  let steady = 0
  for (let i = 0; i < 300 && steady < 3; i++) {
    const row = await server.call(get('/devices/{guid}'), known)
    const on = row.body && row.body.connectionStatus === true
    const power = on ? await server.call(get('/amt/power/state/{guid}'), known) : undefined
    steady = power && power.status === 200 && power.body.powerstate === 2 ? steady + 1 : 0
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  if (steady < 3) throw new Error(`the machine ${known.guid} did not come back`)
}

/// One machine: all reads, then changes that are taken back, each followed by its read.
function machine () {
  return [
    { name: 'connected', wait: back, keep: true },
    ...reads.map((path) => get(path)),
    get('/amt/log/audit/{guid}?startIndex=1', { shapeOnly: true }),
    get('/amt/log/audit/{guid}?startIndex=0', { shapeOnly: true }),
    get('/amt/log/event/{guid}', { shapeOnly: true }),

    get(features, { note: 'what it has', learn: (k, b) => { k.has = { kvm: b.kvmAvailable, ocr: b.httpsBootSupported } } }),
    post(features, { userConsent: 'none', enableSOL: false, enableIDER: false, enableKVM: false, ocr: false }, { note: 'all off' }),
    get(features, { note: 'all off' }),
    post(features, (k) => ({ userConsent: 'kvm', enableSOL: true, enableIDER: false, enableKVM: k.has.kvm }), { note: 'some on' }),
    get(features, { note: 'some on' }),
    post(features, (k) => ({ userConsent: 'all', enableSOL: 'true', enableIDER: 'true', enableKVM: `${k.has.kvm}`, ocr: `${k.has.ocr}` }), { note: 'all on' }),
    get(features, { note: 'all on' }),

    get(consent, { note: 'request' }),
    get(consent, { note: 'request again' }),
    post(consent, { consentCode: '000000' }, { note: 'wrong code' }),
    post(consent, { consentCode: 1 }, { note: 'wrong code as number' }),
    get(features, { note: 'consent requested' }),
    get('/amt/userConsentCode/cancel/{guid}'),
    get('/amt/userConsentCode/cancel/{guid}', { note: 'again' }),
    post(consent, { consentCode: '123456' }, { note: 'not requested' }),

    post(alarms, { ElementName: 'compared', StartTime: '2099-01-02T03:04:00Z', Interval: 1563, DeleteOnCompletion: true }, { note: 'interval' }),
    post(alarms, { ElementName: 'second', InstanceID: 'second', StartTime: '2099-01-02T03:04:00Z', Interval: 0, DeleteOnCompletion: false }, { note: 'no interval' }),
    get(alarms, { note: 'two' }),
    post(alarms, { ElementName: 'compared', StartTime: '2099-01-02T03:04:00Z', Interval: 0, DeleteOnCompletion: true }, { note: 'same name' }),
    post(alarms, {}, { note: 'empty' }),
    post(alarms, { ElementName: 'x', StartTime: 'never', DeleteOnCompletion: true }, { note: 'no date' }),
    del(alarms, { body: { Name: 'compared' } }),
    get(alarms, { note: 'one' }),
    del(alarms, { body: { Name: 'second' } }),
    del(alarms, { body: { Name: 'second' }, note: 'again' }),
    del(alarms, { body: {}, note: 'no name' }),

    put('/amt/kvm/displays/{guid}', { displayIndex: 1 }),
    get('/amt/kvm/displays/{guid}', { note: 'second' }),
    put('/amt/kvm/displays/{guid}', { displayIndex: 0 }, { note: 'back' }),

    post('/amt/network/linkPreference/{guid}', { linkPreference: 1, timeout: 60 }),
    get('/amt/networkSettings/{guid}', { note: 'link preference' }),
    post('/amt/network/linkPreference/{guid}', { linkPreference: 2, timeout: 0 }, { note: 'back' }),

    post(sync, { localProfileSync: false }),
    get(sync, { note: 'off' }),
    post(sync, { localProfileSync: true, uefiProfileSync: true }, { note: 'both' }),
    get(sync, { note: 'both' }),
    post(sync, { localProfileSync: true, uefiProfileSync: null }, { note: 'null' }),
    post(sync, { uefiProfileSync: false }, { note: 'back' }),
    post(sync, {}, { note: 'nothing' }),
    post(state, { state: 'WifiDisabled' }),
    get(state, { note: 'disabled' }),
    post(state, { state: 'wifienableds0sxac' }, { note: 'any case' }),
    post(state, { state: 'WifiEnabledS0SxAC' }, { note: 'as it is' }),
    post(state, { state: 'x' }, { note: 'unknown word' }),

    post(profiles, profile()),
    post(profiles, profile({ priority: 10 }), { note: 'same name' }),
    post(profiles, profile({ profileName: 'other' }), { note: 'same priority' }),
    post(profiles, profile({ profileName: 'other', priority: 11, authenticationMethod: 'Nonsense' }), { note: 'unknown method' }),
    post(profiles, profile({ profileName: 'other', priority: 11, encryptionMethod: 'Nonsense' }), { note: 'unknown cipher' }),
    post(profiles, profile({ profileName: 'other', priority: 11, password: undefined }), { note: 'no password' }),
    post(profiles, profile({ profileName: 'other', priority: 11, password: 'short' }), { note: 'short password' }),
    post(profiles, profile({ profileName: 'other', priority: 11, authenticationMethod: 'WPA2IEEE8021x' }), { note: '802.1x without' }),
    get(profiles, { note: 'with the new one' }),
    patch(profiles, profile({ ssid: 'Changed', priority: 12, authenticationMethod: 'WPAPSK', encryptionMethod: 'TKIP' })),
    patch(profiles, profile({ profileName: 'unknown', priority: 13 }), { note: 'unknown' }),
    get(profiles, { note: 'changed' }),
    get('/amt/networkSettings/{guid}', { note: 'with a profile' }),
    del('/amt/networkSettings/wireless/profile/{guid}/compared'),
    del('/amt/networkSettings/wireless/profile/{guid}/compared', { note: 'again' }),
    del('/amt/networkSettings/wireless/profile/{guid}/a%20b', { note: 'bad name' }),
    get(profiles, { note: 'as before' }),

    patch(wired, { dhcpEnabled: false, ipSyncEnabled: false, ipAddress: '192.168.77.10', subnetMask: '255.255.255.0', defaultGateway: '192.168.77.1', primaryDNS: '192.168.77.2' }, { note: 'static' }),
    get(wired, { note: 'static' }),
    patch(wired, { dhcpEnabled: false, ipSyncEnabled: true }, { note: 'synchronised' }),
    get(wired, { note: 'synchronised' }),
    patch(wired, { dhcpEnabled: true, ipSyncEnabled: true }, { note: 'back' }),
    get(wired, { note: 'back' }),
    patch(wired, { dhcpEnabled: true, ipAddress: '192.168.77.10' }, { note: 'address with DHCP' }),
    patch(wired, { dhcpEnabled: false, ipSyncEnabled: true, ipAddress: '192.168.77.10' }, { note: 'address with sync' }),
    patch(wired, { dhcpEnabled: false, ipSyncEnabled: false }, { note: 'nothing chosen' }),
    patch(wired, { dhcpEnabled: false, ipAddress: '192.168.77.10' }, { note: 'incomplete' }),
    patch(wired, { dhcpEnabled: true, ieee8021x: {} }, { note: '802.1x' }),

    post('/amt/certificates/{guid}', { cert: certificate, isTrusted: true }, { learn: (k, b) => { k.handle = b && b.handle } }),
    get('/amt/certificates/{guid}', { note: 'with the new one' }),
    post('/amt/certificates/{guid}', { cert: certificate, isTrusted: true }, { note: 'again' }),
    del('/amt/certificates/{guid}/{handle}'),
    del('/amt/certificates/{guid}/{handle}', { note: 'again' }),
    del('/amt/certificates/{guid}/nonsense', { note: 'unknown' }),
    get('/amt/certificates/{guid}', { note: 'as before' }),

    post(features, (k) => ({ userConsent: 'none', enableSOL: true, enableIDER: true, enableKVM: k.has.kvm }), { note: 'no consent' }),
    post('/amt/power/bootOptions/{guid}', { action: 101, useSOL: false }, { note: 'to BIOS' }),
    { name: 'back', wait: back, keep: true },
    post('/amt/power/bootOptions/{guid}', { action: 400, useSOL: false }, { note: 'to PXE' }),
    { name: 'back', wait: back, keep: true },
    post('/amt/power/action/{guid}', { action: 10 }, { note: 'reset' }),
    { name: 'back', wait: back, keep: true },
    post('/amt/power/action/{guid}', { action: '2' }, { note: 'on while on' }),
    { name: 'back', wait: back, keep: true },
    post('/amt/power/action/{guid}', { action: 501 }, { note: 'OS saving' }),
    post('/amt/power/action/{guid}', { action: 500 }, { note: 'OS full power' }),
    post('/amt/power/action/{guid}', { action: 17 }, { note: 'INIT' }),
    get('/amt/power/state/{guid}', { note: 'at the end' }),
    post(features, { userConsent: 'none', enableSOL: true, enableIDER: true, enableKVM: true, ocr: true }, { note: 'what it may lack' }),
    del('/devices/refresh/{guid}'),
    { name: 'back', wait: back, keep: true },
    del('/devices/disconnect/{guid}'),
    { name: 'back', wait: back, keep: true },
    get('/devices/{guid}', { note: 'at the end' })
  ]
}

module.exports = { registry, machine }
