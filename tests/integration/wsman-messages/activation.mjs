// A whole life with the library's messages, as RPS and rpc lead it: new, activated, managed through
// the server that it was given, deactivated, new again. Before it is activated a machine is asked
// through its host's LMS.
import { createHash, randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Asker } from "./asker.mjs";
import { certificate, newKey, pem } from "./certificates.mjs";
import { FakeMps } from "./fake_mps.mjs";
import { AMT, IPS } from "./library.mjs";
import { Machine } from "./machine.mjs";
import { expect, same, step } from "./steps.mjs";

const { by } = Asker;
const password = "Act1vated!";
const md5 = (text) => createHash("md5").update(text).digest("hex");

export async function activation(program) {
  const folder = mkdtempSync(join(tmpdir(), "outband-activation-"));
  const keys = { root: newKey(), leaf: newKey(), server: newKey() };
  const root = certificate("Example Root", keys.root.publicKey, keys.root.privateKey, 1);
  const leaf = certificate("vpro.example.org", keys.leaf.publicKey, keys.root.privateKey, 2, {
    unit: "Intel(R) Client Setup Certificate",
  });
  const shown = certificate("mps.example.org", keys.server.publicKey, keys.root.privateKey, 3);
  writeFileSync(join(folder, "root.pem"), pem(root));
  const mps = await FakeMps.start({
    cert: pem(shown),
    key: keys.server.privateKey.export({ format: "pem", type: "pkcs8" }),
  });
  const machine = await Machine.start(
    program,
    ...["--profile", "amt16", "--factory", "--lms-port", "0", "--busy-ms", "0", "--home-call-ms", "1"],
    ...["--trust-root", join(folder, "root.pem"), "--dns-suffix", "example.org"],
    ...["--resolve", `mps.example.org=127.0.0.1:${mps.port}`],
  );
  try {
    await live(machine, { keys, root, leaf }, mps);
  } finally {
    await machine.stop();
    mps.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function live(machine, made, mps) {
  const ask = new Asker(machine);
  const { lms_port: lms, lan_port: lan } = await machine.truth();
  const asLocal = async () => machine.signIn({ ...(await machine.local()), port: lms });
  const asAdmin = (port) => machine.signIn({ user: "admin", password, port });
  const refused = async (who) => {
    machine.signIn(who);
    try {
      await ask.instance(AMT.GeneralSettings.Get());
    } catch (e) {
      return e.message;
    }
    return "";
  };
  const secret = async () => {
    const { DigestRealm } = await ask.instance(AMT.GeneralSettings.Get());
    expect(/^Digest:[0-9A-F]{32}$/.test(DigestRealm), DigestRealm);
    return md5(`admin:${DigestRealm}:${password}`);
  };
  const setupService = () => ask.instance(IPS.HostBasedSetupService.Get());

  await step("a new machine serves its local account through the LMS and nobody else", async () => {
    const truth = await machine.truth();
    same([truth.control_mode, truth.setup.provisioning_state, truth.setup.mps], [0, 0, null]);
    expect(await refused({ user: "admin", password: machine.password, port: lms }), "admin came in");
    expect(await refused({ ...(await machine.local()), port: lan }), "the LAN is open");
    await asLocal();
    const service = await setupService();
    same([service.CurrentControlMode, service.CertChainStatus], [0, 0]);
    same(service.AllowedControlModes, [2, 1]);
  });

  const chain = async () => {
    same(
      [
        await ask.returned(IPS.HostBasedSetupService.AddNextCertInChain(made.leaf, true, false)),
        await ask.returned(IPS.HostBasedSetupService.AddNextCertInChain(made.root, false, true)),
      ],
      [0, 0],
    );
    same((await setupService()).CertChainStatus, 2);
  };
  const proof = async (key) => {
    const nonce = Buffer.from((await setupService()).ConfigurationNonce, "base64");
    same(nonce.length, 20);
    const ours = randomBytes(20);
    return [
      ours.toString("base64"),
      2,
      sign("sha256", Buffer.concat([nonce, ours]), key).toString("base64"),
    ];
  };

  await step("a signature by another key is refused", async () => {
    await asLocal();
    await chain();
    same(
      await ask.returned(
        IPS.HostBasedSetupService.AdminSetup(2, await secret(), ...(await proof(made.keys.root.privateKey))),
      ),
      5,
    );
    same((await machine.truth()).control_mode, 0);
  });

  await step("admin setup by a chain and a signature over both nonces", async () => {
    await chain();
    same(
      await ask.returned(
        IPS.HostBasedSetupService.AdminSetup(2, await secret(), ...(await proof(made.keys.leaf.privateKey))),
      ),
      0,
    );
    const truth = await machine.truth();
    same([truth.control_mode, truth.setup.admin_setups, truth.connected], [2, 1, false]);
    expect(await machine.hasPassword(password), "it does not know the password that it was given");
  });

  await step("it is given a MEBx password and the server that it is to call", async () => {
    asAdmin(lan);
    same(await ask.returned(AMT.SetupAndConfigurationService.SetMEBXPassword("Str0ng-Pass")), 0);
    same(
      await ask.returned(
        AMT.PublicKeyManagementService.AddTrustedRootCertificate({ CertificateBlob: made.root }),
      ),
      0,
    );
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddMPS({
          AccessInfo: "mps.example.org",
          InfoFormat: 201,
          Port: 4433,
          AuthMethod: 2,
          Username: "edge",
          Password: "M9s-passw0rd",
          CommonName: undefined, // as RPS does for names
        }),
      ),
      0,
    );
    const [server] = await ask.list(AMT.ManagementPresenceRemoteSAP);
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddRemoteAccessPolicyRule(
          { Trigger: 2, TunnelLifeTime: 0, ExtendedData: "AAAAAAAAABk=" },
          by(server.Name, "Name"),
        ),
      ),
      0,
    );
    const detection = await ask.instance(AMT.EnvironmentDetectionSettingData.Get());
    same((await machine.truth()).connected, false); // inside, as long as nothing says otherwise
    await ask.instance(
      AMT.EnvironmentDetectionSettingData.Put({ ...detection, DetectionStrings: ["0b1c.com"] }),
    );
  });

  await step("it calls home with what it was given", async () => {
    const truth = await machine.until((t) => t.connected);
    same(mps.logins, [{ user: "edge", password: "M9s-passw0rd" }]);
    same(truth.setup.mps.host, "mps.example.org");
  });

  await step("deactivated: the tunnel ends and it is new again", async () => {
    const realm = (await ask.instance(AMT.GeneralSettings.Get())).DigestRealm;
    same(await ask.returned(AMT.SetupAndConfigurationService.Unprovision(1)), 0);
    const truth = await machine.until((t) => !t.connected);
    same([truth.control_mode, truth.setup.mps, truth.setup.unprovisions], [0, null, 1]);
    await asLocal();
    expect((await ask.instance(AMT.GeneralSettings.Get())).DigestRealm !== realm, "the same realm");
    expect(await refused({ user: "admin", password, port: lms }), "admin came in");
  });

  await step("and may be activated by its host alone, with the user's consent for everything", async () => {
    await asLocal();
    same(await ask.returned(IPS.HostBasedSetupService.Setup(2, await secret())), 0);
    asAdmin(lms);
    same((await setupService()).CurrentControlMode, 1);
    const consent = await ask.instance(IPS.OptInService.Get());
    same([consent.OptInRequired, consent.CanModifyOptInPolicy], [4294967295, 0]);
    same(await ask.returned(AMT.SetupAndConfigurationService.SetMEBXPassword("Str0ng-Pass")), 16);
  });

  await step("an upgrade to admin control mode keeps the password", async () => {
    asAdmin(lms);
    await chain();
    same(
      await ask.returned(
        IPS.HostBasedSetupService.UpgradeClientToAdmin(...(await proof(made.keys.leaf.privateKey))),
      ),
      0,
    );
    expect(await machine.hasPassword(password), "another password");
    const truth = await machine.truth();
    same([truth.control_mode, truth.setup.setups, truth.setup.upgrades], [2, 1, 1]);
  });
}
