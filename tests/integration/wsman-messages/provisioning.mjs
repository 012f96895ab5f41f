// What a provisioning server does with a machine, in the order of RPS: network, Wi-Fi,
// certificates, TLS, CIRA, proxies; and how it takes all of it back.
import { verify } from "node:crypto";
import { AMT, CIM, IPS } from "./library.mjs";
import { Asker, selector } from "./asker.mjs";
import { certificate, newKey, nullSignedRequest, parts, pkcs1, publicKey } from "./certificates.mjs";
import { expect, same, step } from "./steps.mjs";

const { by } = Asker;
const wired = "Intel(r) AMT Ethernet Port Settings 0";
const wireless = "Intel(r) AMT Ethernet Port Settings 1";

/** A reference to a certificate as RPS writes it by hand. */
const certificateReference = (id) =>
  "<a:Address>default</a:Address><a:ReferenceParameters>" +
  "<w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/AMT_PublicKeyCertificate</w:ResourceURI>" +
  `<w:SelectorSet><w:Selector Name="InstanceID">${id}</w:Selector></w:SelectorSet></a:ReferenceParameters>`;

export async function provisioning(ask) {
  const root = newKey();
  const rootCertificate = certificate("Example Root", root.publicKey, root.privateKey, 1);
  const handle = {};

  await step("the wired port gets an address of its own and goes back to DHCP", async () => {
    const [port] = await ask.list(AMT.EthernetPortSettings);
    const { class: _, DefaultGateway, PrimaryDNS, SubnetMask, LinkPolicy, ...rest } = port;
    const own = await ask.instance(
      AMT.EthernetPortSettings.Put({
        ...rest,
        DHCPEnabled: false,
        IpSyncEnabled: false,
        SharedStaticIp: false,
        IPAddress: "10.0.0.7",
        SubnetMask: "255.255.255.0",
      }),
    );
    same([own.InstanceID, own.DHCPEnabled, own.IPAddress], [wired, false, "10.0.0.7"]);
    const dhcp = await ask.instance(
      AMT.EthernetPortSettings.Put({ ...rest, DHCPEnabled: true, IpSyncEnabled: true }),
    );
    same([dhcp.DHCPEnabled, dhcp.IPAddress], [true, undefined]);
    same(await ask.returned(AMT.EthernetPortSettings.SetLinkPreference(1, 300)), 0);
    const radio = await ask.instance(AMT.EthernetPortSettings.Get(by(wireless)));
    same([radio.LinkPreference, radio.LinkControl], [1, 1]);
    same(await ask.returned(AMT.EthernetPortSettings.SetLinkPreference(2, 300, wireless)), 0);
  });

  await step("certificates and keys enter the store", async () => {
    const added = await ask.output(
      AMT.PublicKeyManagementService.AddTrustedRootCertificate({ CertificateBlob: rootCertificate }),
    );
    same(added.ReturnValue, 0);
    handle.root = selector(added.CreatedCertificate, "InstanceID");
    same(
      await ask.returned(
        AMT.PublicKeyManagementService.AddTrustedRootCertificate({ CertificateBlob: rootCertificate }),
      ),
      2058,
    );
    const made = await ask.output(
      AMT.PublicKeyManagementService.GenerateKeyPair({ KeyAlgorithm: 0, KeyLength: 2048 }),
    );
    handle.key = selector(made.KeyPair, "InstanceID");
    const pairs = await ask.list(AMT.PublicPrivateKeyPair);
    const key = publicKey(pairs.find((p) => p.InstanceID === handle.key).DERKey);
    const leaf = certificate("edge", key, root.privateKey, 2);
    const leafAdded = await ask.output(
      AMT.PublicKeyManagementService.AddCertificate({ CertificateBlob: leaf }),
    );
    handle.leaf = selector(leafAdded.CreatedCertificate, "InstanceID");
    same(await ask.returned(AMT.PublicKeyManagementService.AddCertificate({ CertificateBlob: leaf })), 2058);
    const shown = await ask.list(AMT.PublicKeyCertificate);
    same(
      shown.map((c) => [c.Subject, c.TrustedRootCertficate]),
      [
        ["CN=Example Root", true],
        ["CN=edge", false],
      ],
    );
    same(shown[1].X509Certificate, leaf);
    const owner = (await ask.list(CIM.ConcreteDependency)).find(
      (d) => selector(d.Antecedent, "InstanceID") === handle.leaf,
    );
    same(selector(owner.Dependent, "InstanceID"), handle.key, "the leaf's key");

    const client = newKey();
    const imported = await ask.output(AMT.PublicKeyManagementService.AddKey(pkcs1(client.privateKey)));
    same(imported.ReturnValue, 0);
    handle.clientKey = selector(imported.CreatedKey, "InstanceID");
    same(await ask.returned(AMT.PublicKeyManagementService.AddKey(pkcs1(client.privateKey))), 2058);
    const clientCertificate = certificate("client", client.publicKey, root.privateKey, 3);
    const clientAdded = await ask.output(
      AMT.PublicKeyManagementService.AddCertificate({ CertificateBlob: clientCertificate }),
    );
    handle.client = selector(clientAdded.CreatedCertificate, "InstanceID");
    const renewed = certificate("client", client.publicKey, root.privateKey, 4);
    const put = await ask.instance(
      AMT.PublicKeyCertificate.Put({ InstanceID: handle.client, X509Certificate: renewed }),
    );
    same([put.InstanceID, put.X509Certificate], [handle.client, renewed]);
  });

  await step("the machine signs a certificate request with its own key", async () => {
    const key = publicKey((await ask.instance(AMT.PublicPrivateKeyPair.Get(by(handle.key)))).DERKey);
    const made = await ask.output(
      AMT.PublicKeyManagementService.GeneratePKCS10RequestEx({
        KeyPair:
          "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing</a:Address><a:ReferenceParameters>" +
          "<w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/AMT_PublicPrivateKeyPair</w:ResourceURI>" +
          `<w:SelectorSet><w:Selector Name="InstanceID">${handle.key}</w:Selector></w:SelectorSet></a:ReferenceParameters>`,
        SigningAlgorithm: 1,
        NullSignedCertificateRequest: nullSignedRequest("edge", key),
      }),
    );
    same(made.ReturnValue, 0);
    const { body, signature } = parts(made.SignedCertificateRequest);
    expect(verify("sha256", body, key, signature), "the signature does not hold");
  });

  await step("TLS: a context, the settings, a commit, and back again", async () => {
    const created = (await ask.machine.ask(AMT.TLSCredentialContext.Create(handle.leaf))).body
      .ResourceCreated;
    expect(created, "not created");
    same(await ask.fault(AMT.TLSCredentialContext.Create(handle.leaf)), "AlreadyExists");
    const settings = await ask.list(AMT.TLSSettingData);
    same(
      settings.map((s) => s.InstanceID),
      ["Intel(r) AMT 802.3 TLS Settings", "Intel(r) AMT LMS TLS Settings"],
    );
    const [network] = settings;
    const echo = await ask.instance(
      AMT.TLSSettingData.Put({
        AcceptNonSecureConnections: true,
        ElementName: network.ElementName,
        Enabled: true,
        InstanceID: network.InstanceID,
        MutualAuthentication: false,
      }),
    );
    same([echo.Enabled, echo.AcceptNonSecureConnections], [true, true]);
    same(await ask.returned(AMT.SetupAndConfigurationService.CommitChanges()), 0);
    expect(
      await ask.fault(AMT.PublicKeyCertificate.Delete(by(handle.leaf))),
      "a certificate in use was deleted",
    );

    await ask.instance(
      AMT.TLSSettingData.Put({
        AcceptNonSecureConnections: true,
        ElementName: network.ElementName,
        Enabled: false,
        InstanceID: network.InstanceID,
        MutualAuthentication: false,
      }),
    );
    same(await ask.returned(AMT.SetupAndConfigurationService.CommitChanges()), 0);
    const [context] = await ask.list(AMT.TLSCredentialContext);
    await ask.done(
      AMT.TLSCredentialContext.Delete({
        ElementInContext: context.ElementInContext,
        ElementProvidingContext: context.ElementProvidingContext,
      }),
    );
    same((await ask.list(AMT.TLSCredentialContext)).length, 0);
  });

  await step("wired 802.1x with a certificate", async () => {
    const settings = await ask.instance(IPS.IEEE8021xSettings.Get());
    const echo = await ask.instance(
      IPS.IEEE8021xSettings.Put({
        ...settings,
        Enabled: 2,
        AuthenticationProtocol: 0,
        Username: "edge",
        AvailableInS0: true,
      }),
    );
    same([echo.Enabled, echo.Username], [2, "edge"]);
    same(
      await ask.returned(
        IPS.IEEE8021xSettings.SetCertificates(
          certificateReference(handle.root),
          certificateReference(handle.client),
        ),
      ),
      0,
    );
    same((await ask.list(IPS.IEEE8021xCredentialContext)).length, 2);
    const off = await ask.instance(IPS.IEEE8021xSettings.Put({ ...settings, Enabled: 3 }));
    same([off.Enabled, off.Username], [3, undefined]);
    const profile = await ask.instance(AMT.IEEE8021xProfile.Get());
    same((await ask.instance(AMT.IEEE8021xProfile.Put({ ...profile, PxeTimeout: 60 }))).PxeTimeout, 60);
  });

  await step("Wi-Fi: the radio, a passphrase, 802.1x, synchronisation", async () => {
    same(await ask.returned(CIM.WiFiPort.RequestStateChange(32769)), 0);
    same((await ask.instance(CIM.WiFiPort.Get())).EnabledState, 32769);
    const service = await ask.instance(AMT.WiFiPortConfigurationService.Get());
    const synced = await ask.instance(
      AMT.WiFiPortConfigurationService.Put({ ...service, localProfileSynchronizationEnabled: 3 }),
    );
    same(synced.localProfileSynchronizationEnabled, 3);
    await ask.instance(
      AMT.WiFiPortConfigurationService.Put({ ...service, localProfileSynchronizationEnabled: 0 }),
    );
    const endpoint = by("WiFi Endpoint 0", "Name");
    const name = (n) => `Intel(r) AMT:WiFi Endpoint Settings ${n}`;
    same(
      await ask.returned(
        AMT.WiFiPortConfigurationService.AddWiFiSettings(
          {
            ElementName: "home",
            InstanceID: name("home"),
            AuthenticationMethod: 6,
            EncryptionMethod: 4,
            SSID: "home",
            Priority: 1,
            PSKPassPhrase: '<correct> & "horse"',
          },
          endpoint,
        ),
      ),
      0,
    );
    same(
      await ask.returned(
        AMT.WiFiPortConfigurationService.AddWiFiSettings(
          {
            ElementName: "corp",
            InstanceID: name("corp"),
            AuthenticationMethod: 7,
            EncryptionMethod: 4,
            SSID: "corp",
            Priority: 2,
          },
          endpoint,
          {
            ElementName: "corp",
            InstanceID: "Intel(r) AMT:IEEE 802.1x Settings corp",
            AuthenticationProtocol: 0,
            Username: "edge",
          },
          handle.client,
          handle.root,
        ),
      ),
      0,
    );
    const profiles = await ask.list(CIM.WiFiEndpointSettings);
    same(
      profiles.map((p) => [p.ElementName, p.Priority, "PSKPassPhrase" in p]),
      [
        ["home", 1, false],
        ["corp", 2, false],
      ],
    );
    same((await ask.list(CIM.IEEE8021xSettings))[0].Username, "edge");
    same(
      (await ask.list(CIM.CredentialContext)).map((c) => c.class),
      ["AMT_8021XCredentialContext", "AMT_8021XCredentialContext"],
    );
    expect(
      await ask.fault(AMT.PublicKeyCertificate.Delete(by(handle.client))),
      "a certificate in use was deleted",
    );
    for (const { InstanceID } of profiles) await ask.done(CIM.WiFiEndpointSettings.Delete(by(InstanceID)));
    same((await ask.list(CIM.WiFiEndpointSettings)).length, 0);
  });

  await step("CIRA is configured as RPS does it", async () => {
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddMPS({
          AccessInfo: "192.0.2.5",
          InfoFormat: 3,
          Port: 4433,
          AuthMethod: 2,
          Username: "admin",
          Password: "P@ssw0rdP@ssw0rd",
          CommonName: "192.0.2.5",
        }),
      ),
      0,
    );
    const [server] = await ask.list(AMT.ManagementPresenceRemoteSAP);
    const to = by(server.Name, "Name");
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddRemoteAccessPolicyRule(
          { Trigger: 2, TunnelLifeTime: 0, ExtendedData: "AAAAAAAAABk=" },
          to,
        ),
      ),
      0,
    );
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddRemoteAccessPolicyRule(
          { Trigger: 0, TunnelLifeTime: 300, ExtendedData: "" },
          to,
        ),
      ),
      0,
    );
    same(
      await ask.returned(
        AMT.RemoteAccessService.AddRemoteAccessPolicyRule(
          { Trigger: 0, TunnelLifeTime: 300, ExtendedData: "" },
          to,
        ),
      ),
      2058,
    );
    const associations = await ask.list(AMT.RemoteAccessPolicyAppliesToMPS);
    same(
      associations.map((a) => selector(a.PolicySet, "PolicyRuleName")),
      ["User Initiated", "Periodic"],
    );
    for (const { class: _, ...a } of associations) {
      // RPS puts the selectors into the header by itself; the library does not.
      const set = (key) =>
        `<w:Selector Name="${key}"><a:EndpointReference><a:Address>default</a:Address><a:ReferenceParameters>` +
        `<w:ResourceURI>${a[key].ReferenceParameters.ResourceURI}</w:ResourceURI><w:SelectorSet>` +
        a[key].ReferenceParameters.SelectorSet.Selector.map(
          (s) => `<w:Selector Name="${s.$.Name}">${s._}</w:Selector>`,
        ).join("") +
        "</w:SelectorSet></a:ReferenceParameters></a:EndpointReference></w:Selector>";
      const xml = AMT.RemoteAccessPolicyAppliesToMPS.Put({ ...a, MpsType: 2 }).replace(
        "</w:OperationTimeout>",
        `</w:OperationTimeout><w:SelectorSet>${set("ManagedElement")}${set("PolicySet")}</w:SelectorSet>`,
      );
      await ask.done(xml);
    }
    same(
      (await ask.list(AMT.RemoteAccessPolicyAppliesToMPS)).map((a) => a.MpsType),
      [2, 2],
    );
    same(await ask.returned(AMT.UserInitiatedConnectionService.RequestStateChange(32771)), 0);
    const detection = await ask.instance(AMT.EnvironmentDetectionSettingData.Get());
    const outside = await ask.instance(
      AMT.EnvironmentDetectionSettingData.Put({ ...detection, DetectionStrings: ["0b1c.com"] }),
    );
    same(outside.DetectionStrings, "0b1c.com");
    const [credentials] = await ask.list(AMT.MPSUsernamePassword);
    same([credentials.RemoteID, "Secret" in credentials], ["admin", false]);
    await ask.done(
      AMT.MPSUsernamePassword.Put({ InstanceID: credentials.InstanceID, RemoteID: "edge", Secret: "s3cret" }),
    );
    same((await ask.list(AMT.MPSUsernamePassword))[0].RemoteID, "edge");
    const rule = (await ask.list(AMT.RemoteAccessPolicyRule)).find((r) => r.PolicyRuleName === "Periodic");
    const { class: _, ...periodic } = rule;
    same(
      (await ask.instance(AMT.RemoteAccessPolicyRule.Put({ ...periodic, TunnelLifeTime: 60 })))
        .TunnelLifeTime,
      60,
    );
  });

  await step("an association is removed and made again", async () => {
    const [, periodic] = await ask.list(AMT.RemoteAccessPolicyAppliesToMPS);
    const { class: _, ...association } = periodic;
    same(await ask.fault(AMT.RemoteAccessPolicyAppliesToMPS.Create(association)), "AlreadyExists");
    // The library leaves the selectors out of a reference that has several; then all are meant.
    await ask.done(
      AMT.RemoteAccessPolicyAppliesToMPS.Delete({
        ManagedElement: {
          ...association.ManagedElement,
          ReferenceParameters: one(association.ManagedElement, "Name"),
        },
        PolicySet: {
          ...association.PolicySet,
          ReferenceParameters: one(association.PolicySet, "PolicyRuleName"),
        },
      }),
    );
    same((await ask.list(AMT.RemoteAccessPolicyAppliesToMPS)).length, 1);
    const { body } = await ask.machine.ask(AMT.RemoteAccessPolicyAppliesToMPS.Create(association));
    same(Object.keys(body), ["ResourceCreated"]);
    same((await ask.list(AMT.RemoteAccessPolicyAppliesToMPS)).length, 2);
  });

  await step("CIRA is taken back: policies, then the server", async () => {
    const [server] = await ask.list(AMT.ManagementPresenceRemoteSAP);
    for (const name of ["User Initiated", "Periodic"])
      await ask.done(AMT.RemoteAccessPolicyRule.Delete(by(name, "PolicyRuleName")));
    same(
      await ask.fault(AMT.RemoteAccessPolicyRule.Delete(by("Alert", "PolicyRuleName"))),
      "DestinationUnreachable",
    );
    await ask.done(AMT.ManagementPresenceRemoteSAP.Delete(by(server.Name, "Name")));
    same((await ask.list(AMT.ManagementPresenceRemoteSAP)).length, 0);
    const detection = await ask.instance(AMT.EnvironmentDetectionSettingData.Get());
    const { DetectionStrings, ...without } = detection;
    same((await ask.instance(AMT.EnvironmentDetectionSettingData.Put(without))).DetectionStrings, undefined);
  });

  await step("proxies", async () => {
    const proxy = { AccessInfo: "proxy.example", InfoFormat: 201, Port: 8080, NetworkDnsSuffix: "example" };
    const added = await ask.output(IPS.HTTPProxyService.AddProxyAccessPoint(proxy));
    same(added.ReturnValue, 0);
    same(await ask.returned(IPS.HTTPProxyService.AddProxyAccessPoint(proxy)), 2058);
    same(await ask.returned(IPS.HTTPProxyAccessPoint.UpdatePriority(0)), 0);
    const [point] = await ask.list(IPS.HTTPProxyAccessPoint);
    same([point.AccessInfo, point.Port], ["proxy.example", 8080]);
    await ask.done(IPS.HTTPProxyAccessPoint.Delete(by(point.Name, "Name")));
    same((await ask.list(IPS.HTTPProxyAccessPoint)).length, 0);
  });

  await step("Kerberos' cache is read; the library's request to set it names no value", async () => {
    same((await ask.output(AMT.KerberosSettingData.GetCredentialCacheState())).Enabled, false);
    same(await ask.fault(AMT.KerberosSettingData.SetCredentialCacheState(true)), "SchemaValidationError");
  });

  await step("the store is emptied", async () => {
    for (const { InstanceID } of await ask.list(AMT.PublicKeyCertificate))
      await ask.done(AMT.PublicKeyCertificate.Delete(by(InstanceID)));
    for (const { InstanceID } of await ask.list(AMT.PublicPrivateKeyPair))
      await ask.done(AMT.PublicPrivateKeyPair.Delete(by(InstanceID)));
    same(
      [(await ask.list(AMT.PublicKeyCertificate)).length, (await ask.list(AMT.PublicPrivateKeyPair)).length],
      [0, 0],
    );
  });

  await step("setup: who it is, its MEBx password, and what an active machine refuses", async () => {
    expect((await ask.output(AMT.SetupAndConfigurationService.GetUuid())).UUID, "no UUID");
    same(await ask.returned(AMT.SetupAndConfigurationService.SetMEBXPassword("Str0ng-Pass")), 0);
    const service = await ask.instance(AMT.SetupAndConfigurationService.Get());
    const put = await ask.machine.ask(AMT.SetupAndConfigurationService.Put(service));
    expect(
      put.fault === "ActionNotSupported" || put.body.AMT_SetupAndConfigurationService,
      "neither stored nor refused",
    );
    const nonce = Buffer.alloc(20).toString("base64");
    const refused = async (xml) => {
      const { fault, body } = await ask.machine.ask(xml);
      expect(fault || Object.values(body)[0].ReturnValue !== 0, "an active machine was set up again");
    };
    await refused(IPS.HostBasedSetupService.Setup(2, "00112233445566778899aabbccddeeff"));
    await refused(
      IPS.HostBasedSetupService.AdminSetup(2, "00112233445566778899aabbccddeeff", nonce, 2, "AAAA"),
    );
    await refused(IPS.HostBasedSetupService.UpgradeClientToAdmin(nonce, 2, "AAAA"));
    await refused(IPS.HostBasedSetupService.AddNextCertInChain("AAAA", true, false));
  });

  await step("an unprovisioned machine forgets", async () => {
    same(await ask.returned(AMT.SetupAndConfigurationService.Unprovision(1)), 0);
    same((await ask.machine.truth()).control_mode, 0);
  });
}

/** A reference with that one selector of its own. */
function one(reference, name) {
  const { ResourceURI, SelectorSet } = reference.ReferenceParameters;
  return { ResourceURI, SelectorSet: { Selector: SelectorSet.Selector.find((s) => s.$.Name === name) } };
}
