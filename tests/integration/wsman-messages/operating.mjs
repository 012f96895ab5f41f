// What a console does with a machine that works: features, consent, power, boot, logs, alarms.
import { createHash } from "node:crypto";
import { AMT, CIM, IPS } from "./library.mjs";
import { Asker, array } from "./asker.mjs";
import { expect, same, step } from "./steps.mjs";

const { by } = Asker;

export async function operating(ask) {
  const { machine } = ask;

  await step("general settings are stored", async () => {
    const before = await ask.instance(AMT.GeneralSettings.Get());
    const after = await ask.instance(
      AMT.GeneralSettings.Put({ ...before, HostName: "renamed", IdleWakeTimeout: 77 }),
    );
    same([after.HostName, after.IdleWakeTimeout], ["renamed", 77]);
    same((await ask.list(AMT.GeneralSettings))[0].HostName, "renamed");
  });

  await step("redirection and KVM are switched", async () => {
    same(await ask.returned(AMT.RedirectionService.RequestStateChange(32770)), 0);
    const service = await ask.instance(AMT.RedirectionService.Get());
    same(service.EnabledState, 32770);
    const put = await ask.instance(AMT.RedirectionService.Put({ ...service, ListenerEnabled: false }));
    same(put.ListenerEnabled, false);
    same(await ask.returned(CIM.KVMRedirectionSAP.RequestStateChange(3)), 0);
    same((await ask.instance(CIM.KVMRedirectionSAP.Get())).EnabledState, 3);
    same(await ask.returned(CIM.KVMRedirectionSAP.RequestStateChange(2)), 0);
    const settings = await ask.instance(IPS.KVMRedirectionSettingData.Get());
    const next = await ask.instance(IPS.KVMRedirectionSettingData.Put({ ...settings, DefaultScreen: 1 }));
    same(next.DefaultScreen, 1);
    const screens = await ask.instance(IPS.ScreenSettingData.Get());
    same(screens.IsActive.length, 4);
  });

  await step("consent: wanted, asked for, typed wrong, typed right, cancelled", async () => {
    const service = await ask.instance(IPS.OptInService.Get());
    const put = await ask.instance(
      IPS.OptInService.Put({ IPS_OptInService: { ...service, OptInRequired: 4294967295 } }),
    );
    same(put.OptInRequired, 4294967295);
    same(await ask.returned(IPS.OptInService.SendOptInCode(1)), 2);
    same(await ask.returned(IPS.OptInService.StartOptIn()), 0);
    const { code } = (await machine.truth()).consent;
    same((await ask.returned(IPS.OptInService.SendOptInCode((Number(code) + 1) % 1000000))) !== 0, true);
    same(await ask.returned(IPS.OptInService.SendOptInCode(Number(code))), 0);
    same((await ask.instance(IPS.OptInService.Get())).OptInState, 3);
    same(await ask.returned(IPS.OptInService.CancelOptIn()), 0);
    await ask.instance(IPS.OptInService.Put({ IPS_OptInService: { ...service, OptInRequired: 0 } }));
  });

  await step("boot options are stored, a source chosen and both used up by a reset", async () => {
    const data = await ask.instance(AMT.BootSettingData.Get());
    const put = await ask.instance(
      AMT.BootSettingData.Put({ ...data, UseSOL: true, ForcedProgressEvents: true }),
    );
    same([put.UseSOL, put.ForcedProgressEvents, put.OptionsCleared], [true, true, false]);
    const sources = await ask.list(CIM.BootSourceSetting);
    const pxe = sources.find((s) => s.InstanceID.includes("PXE")).InstanceID;
    same(await ask.returned(CIM.BootConfigSetting.ChangeBootOrder(pxe)), 0);
    same(await ask.returned(CIM.BootService.SetBootConfigRole("Intel(r) AMT: Boot Configuration 0", 1)), 0);
    same((await machine.truth()).boot_source, pxe);
    expect((await ask.returned(CIM.BootService.RequestStateChange(32768))) !== undefined, "no ReturnValue");
    const { boots } = await machine.truth();
    same(await ask.returned(CIM.PowerManagementService.RequestPowerStateChange(10)), 0);
    while ((await machine.truth()).boots === boots) await new Promise(setImmediate);
    const after = await ask.instance(AMT.BootSettingData.Get());
    same([after.UseSOL, after.ForcedProgressEvents, after.OptionsCleared], [false, false, true]);
    same((await machine.truth()).boot_source, "");
    same(await ask.returned(CIM.BootConfigSetting.ChangeBootOrder()), 0);
  });

  await step("power is switched and what is possible changes", async () => {
    same(await ask.returned(IPS.PowerManagementService.RequestOSPowerSavingStateChange(3)), 0);
    same((await ask.instance(IPS.PowerManagementService.Get())).OSPowerSavingState, 3);
    same(await ask.returned(CIM.PowerManagementService.RequestPowerStateChange(8)), 0);
    while ((await machine.truth()).level !== "off") await new Promise(setImmediate);
    const [off] = await ask.list(CIM.ServiceAvailableToElement);
    same([off.PowerState, off.AvailableRequestedPowerStates], [8, 2]);
    same(await ask.returned(CIM.PowerManagementService.RequestPowerStateChange(2)), 0);
    while ((await machine.truth()).level !== "on") await new Promise(setImmediate);
    const [on] = await ask.list(CIM.ServiceAvailableToElement);
    same(on.PowerState, 2);
    expect(on.AvailableRequestedPowerStates.length > 4, "too few states");
  });

  await step("the logs are read and grow", async () => {
    const first = await ask.output(AMT.MessageLog.PositionToFirstRecord());
    same([first.IterationIdentifier, first.ReturnValue], [1, 0]);
    const events = await ask.output(AMT.MessageLog.GetRecords(1));
    expect(array(events.RecordArray).length >= 4, "the boots of this test are not in the event log");
    for (const record of events.RecordArray) same(Buffer.from(record, "base64").length, 21, "octets");
    const audit = await ask.output(AMT.AuditLog.ReadRecords(1));
    expect(array(audit.EventRecords).length >= 2, "too few audit records");
    expect(audit.TotalRecordCount >= audit.RecordsReturned, "counts");
  });

  await step("alarms: five, not six; changed by nobody, deleted by name", async () => {
    const alarm = (id) => ({
      InstanceID: id,
      ElementName: id,
      StartTime: new Date("2035-01-02T03:04:00.000Z"),
      Interval: 1501,
      DeleteOnCompletion: true,
    });
    for (let i = 0; i < 5; ++i) same(await ask.returned(AMT.AlarmClockService.AddAlarm(alarm(`a${i}`))), 0);
    same(await ask.fault(AMT.AlarmClockService.AddAlarm(alarm("a5"))), "QuotaLimit");
    const all = await ask.list(IPS.AlarmClockOccurrence);
    same(all.length, 5);
    same([all[0].StartTime.Datetime, all[0].Interval.Interval], ["2035-01-02T03:04:00Z", "P1DT1H1M"]);
    for (const { InstanceID } of all) await ask.done(IPS.AlarmClockOccurrence.Delete(by(InstanceID)));
    same((await ask.list(IPS.AlarmClockOccurrence)).length, 0);
    same(await ask.fault(IPS.AlarmClockOccurrence.Delete(by("a0"))), "DestinationUnreachable");
    const service = await ask.instance(AMT.AlarmClockService.Get());
    expect(await ask.fault(AMT.AlarmClockService.Put(service)), "a Put of nothing that can be written");
  });

  await step("the clock is read and set", async () => {
    const { Ta0 } = await ask.output(AMT.TimeSynchronizationService.GetLowAccuracyTimeSynch());
    same(
      await ask.returned(
        AMT.TimeSynchronizationService.SetHighAccuracyTimeSynch(Ta0, Ta0 + 86400, Ta0 + 86400),
      ),
      0,
    );
    const after = await ask.output(AMT.TimeSynchronizationService.GetLowAccuracyTimeSynch());
    expect(after.Ta0 >= Ta0 + 86400, "the clock did not move");
  });

  await step("accounts: added, listed, changed, used, removed", async () => {
    const { DigestRealm } = await ask.instance(AMT.GeneralSettings.Get());
    const secret = (user, password) =>
      createHash("md5").update(`${user}:${DigestRealm}:${password}`).digest("base64");
    const added = await ask.output(
      AMT.AuthorizationService.AddUserAclEntryEx(2, [2, 3], "helpdesk", secret("helpdesk", "Pa55word!")),
    );
    same(added.ReturnValue, 0);
    const all = await ask.output(AMT.AuthorizationService.EnumerateUserAclEntries());
    same(array(all.Handles).includes(added.Handle), true, "listed");
    const entry = await ask.output(AMT.AuthorizationService.GetUserAclEntryEx(added.Handle));
    same([entry.DigestUsername, entry.AccessPermission, entry.Realms], ["helpdesk", 2, [2, 3]]);
    same(
      await ask.returned(
        AMT.AuthorizationService.UpdateUserAclEntryEx(
          added.Handle,
          1,
          [4, 5, 6],
          "helpdesk",
          secret("helpdesk", "Other-1!"),
        ),
      ),
      0,
    );
    same((await ask.output(AMT.AuthorizationService.GetUserAclEntryEx(added.Handle))).Realms, [4, 5, 6]);
    same(await ask.returned(AMT.AuthorizationService.SetAclEnabledState(added.Handle, false)), 0);
    same((await ask.output(AMT.AuthorizationService.GetAclEnabledState(added.Handle))).Enabled, false);
    same(await ask.returned(AMT.AuthorizationService.RemoveUserAclEntry(added.Handle)), 0);
    expect(
      (await ask.returned(AMT.AuthorizationService.GetUserAclEntryEx(added.Handle))) !== 0,
      "still there",
    );
    same((await ask.output(AMT.AuthorizationService.GetAdminAclEntry())).Username, "admin");
    for (const read of ["GetAdminAclEntryStatus", "GetAdminNetAclEntryStatus"])
      same((await ask.output(AMT.AuthorizationService[read]())).IsDefault, false);
  });

  await step("the administrator's password is replaced and works from then on", async () => {
    const { DigestRealm } = await ask.instance(AMT.GeneralSettings.Get());
    const next = "N3w-P@ssword";
    const hash = createHash("md5").update(`admin:${DigestRealm}:${next}`).digest("base64");
    same(await ask.returned(AMT.AuthorizationService.SetAdminACLEntryEx("admin", hash)), 0);
    let refused = false;
    await ask.instance(AMT.GeneralSettings.Get()).catch(() => (refused = true));
    same(refused, true, "the old password is refused");
    machine.password = next;
    same((await ask.instance(AMT.GeneralSettings.Get())).DigestRealm, DigestRealm);
  });
}
