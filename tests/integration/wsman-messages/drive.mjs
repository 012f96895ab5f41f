// Every class and every method of npm @device-management-toolkit/wsman-messages, the library with
// which MPS and RPS write their requests, against simulated machines over HTTP digest.
// OUTBAND_AMTSIM: the simulator's program.
import { families, unused } from "./library.mjs";
import { Machine } from "./machine.mjs";
import { expect, same, step, summary } from "./steps.mjs";
import { provisioning } from "./provisioning.mjs";
import { operating } from "./operating.mjs";
import { activation } from "./activation.mjs";
import { Asker } from "./asker.mjs";

const program = process.env.OUTBAND_AMTSIM;
if (!program) {
  console.error("OUTBAND_AMTSIM names no program");
  process.exit(2);
}

/** Each class of the library on one kind of machine. */
async function explore(ask, kind, lacking) {
  for (const [family, classes] of Object.entries(families))
    for (const [name, object] of Object.entries(classes))
      await step(`${kind}: ${family}.${name} answers Enumerate, Pull and Get`, async () => {
        if (lacking.includes(object.className)) {
          for (const xml of [object.Enumerate(), object.Get()])
            same(await ask.fault(xml), "DestinationUnreachable");
          return;
        }
        const items = await ask.list(object);
        const got = await ask.machine.ask(object.Get());
        if (items.length === 0) {
          same(got.fault, "DestinationUnreachable", "the fault of Get");
          return;
        }
        expect(!got.fault, `Get: ${got.fault}`);
        // A superclass shows its subclasses under their own names.
        same(Object.keys(got.body)[0], items[0].class, "class");
      });
}

async function on(options, work) {
  const machine = await Machine.start(program, ...options);
  try {
    await work(new Asker(machine));
  } finally {
    await machine.stop();
  }
}

await on(["--profile", "amt16", "--batch", "1"], (ask) => explore(ask, "AMT 16, one item per Pull", []));
await on(["--profile", "ism16"], (ask) =>
  explore(ask, "Standard Manageability", [
    "AMT_WiFiPortConfigurationService",
    "CIM_KVMRedirectionSAP",
    "CIM_WiFiEndpointSettings",
    "CIM_WiFiPort",
    "IPS_KVMRedirectionSettingData",
  ]),
);
await on(["--profile", "amt12"], async (ask) => {
  await explore(ask, "AMT 12", []);
  await operating(ask);
  await provisioning(ask);
});
await activation(program);
await step("every method of the library was used", async () => {
  same(unused(), [], "unused");
});
process.exitCode = summary();
