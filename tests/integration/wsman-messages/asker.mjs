// What the steps ask, and how they read the answers.
const array = (value) => (value === undefined || value === "" ? [] : Array.isArray(value) ? value : [value]);
const plain = (value) => (value && typeof value === "object" && "_" in value ? value._ : value);

export { array, plain };

export class Asker {
  constructor(machine) {
    this.machine = machine;
  }

  async #good(xml) {
    const { fault, body } = await this.machine.ask(xml);
    if (fault) throw new Error(`fault ${fault} to ${xml}`);
    return body;
  }

  /** All instances in all batches; each with its class. */
  async list(object) {
    let context = (await this.#good(object.Enumerate())).EnumerateResponse.EnumerationContext;
    const out = [];
    while (context) {
      const pulled = (await this.#good(object.Pull(context))).PullResponse;
      if (!("Items" in pulled)) throw new Error("a Pull without Items");
      for (const [name, value] of Object.entries(pulled.Items || {}))
        for (const item of array(value)) out.push({ class: name, ...item });
      context = pulled.EnumerationContext;
      if (!context && !("EndOfSequence" in pulled)) throw new Error("a list without an end");
    }
    return out;
  }

  /** The one instance of a Get or a Put's echo. */
  async instance(xml) {
    return Object.values(await this.#good(xml))[0];
  }

  /** A method's OUTPUT. */
  async output(xml) {
    const [[name, out]] = Object.entries(await this.#good(xml));
    if (!name.endsWith("_OUTPUT")) throw new Error(`the answer is ${name}`);
    return out;
  }

  async returned(xml) {
    return (await this.output(xml)).ReturnValue;
  }

  /** Done, and nothing to say about it: Delete, and Puts without an echo. */
  async done(xml) {
    const body = await this.#good(xml);
    if (body !== "") throw new Error(`a Body with ${JSON.stringify(body)}`);
  }

  async fault(xml) {
    return (await this.machine.ask(xml)).fault;
  }

  /** As the library wants a selector. */
  static by(value, name = "InstanceID") {
    return { name, value };
  }
}

/** The value of a reference's selector, as RPS reads it. */
export function selector(reference, name) {
  const all = array(reference.ReferenceParameters.SelectorSet.Selector);
  return all.find((s) => s.$.Name === name)?._;
}
