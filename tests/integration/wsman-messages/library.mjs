// The library's builders, with a note of which were used: the test ends with those that were not.
import library from "@device-management-toolkit/wsman-messages";

const used = new Set();
const inherited = /^(Enumerate|Get|Pull|[a-z].*)$/;

/** A copy for a builder: it renames the members of what it is given. */
const copy = (value) => (value !== null && typeof value === "object" ? structuredClone(value) : value);

function watched(family, name, object) {
  return new Proxy(object, {
    get(target, key) {
      const member = target[key];
      if (typeof member !== "function" || inherited.test(key)) return member;
      return (...given) => {
        used.add(`${family}.${name}.${key}`);
        return member(...given.map(copy));
      };
    },
  });
}

function messages(family) {
  const all = new library[family].Messages();
  const out = {};
  for (const [name, object] of Object.entries(all))
    if (object?.className) out[name] = watched(family, name, object);
  return out;
}

export const AMT = messages("AMT");
export const CIM = messages("CIM");
export const IPS = messages("IPS");
export const families = { AMT, CIM, IPS };

/** Every method of every class, beyond Enumerate, Pull and Get. */
export function unused() {
  const out = [];
  for (const [family, classes] of Object.entries(families))
    for (const [name, object] of Object.entries(classes))
      for (const key of Object.keys(object))
        if (
          typeof object[key] === "function" &&
          !inherited.test(key) &&
          !used.has(`${family}.${name}.${key}`)
        )
          out.push(`${family}.${name}.${key}`);
  return out;
}
