// Steps with a sentence each and a count at the end. A step that fails does not keep the others
// from being tried: most of them stand alone.
let passed = 0;
let failed = 0;

export async function step(sentence, work) {
  try {
    await work();
    ++passed;
  } catch (e) {
    ++failed;
    console.log(`FAILED  ${sentence}\n${e.stack ?? e}`);
  }
}

export function expect(truth, words) {
  if (!truth) throw new Error(words);
}

export function same(seen, wanted, what = "value") {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

export function summary() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
