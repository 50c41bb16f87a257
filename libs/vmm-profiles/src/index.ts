export { type ConfigurationFragment, configurationOf, type DeviceNames } from './configuration.js';
export { integrateExpress } from './families/express.js';
export { guestView } from './guest-view.js';
export { type GuestWrite, guestWrites } from './guest-writes.js';
export { type HostFacts, type PasidFacts } from './host-facts.js';
export { hostKernelOf, type KernelTaken } from './host-kernel.js';
export {
  type BarSize, type DecidedGuest, type Explanation, explanationsMax, identify, settingsThatDiffer,
} from './identify.js';
export { identitySettings } from './identity-settings.js';
export { impliedPasid, impliedPasidSays } from './implied-pasid.js';
export { type GuestPort, guestPorts, type Knobs, type SettingRow, type WrongSetting, wrongSetting } from './knobs.js';
export {
  type FailureMode, type GuestPrediction, type MigrationBehaviour, type Outcome, type PredictionFinding,
  type RuledRange, type WriteThrough,
} from './prediction.js';
export { profileFor, type ProfileTaken, type VmmNamed, type VmmUnknown } from './profile-for.js';
export { referencePage } from './reference-page.js';
export { type Confidence, type RuleName, rules } from './rules.js';
export {
  type ImplicitDefault, type SettingsAnswer, settingsFor, type UnmetPlacement, type WantedPlacement,
} from './settings-for.js';
export { type StandardMade, standardPlace } from './standard-made.js';
export { obedientVmm, type VmmAbilities, vmmAbilities } from './vmm-abilities.js';
export { type PasidPlacing, type VmmProfile } from './vmm-profile.js';
export { profileNamed, type ProfileUnknown, vmmProfiles } from './vmm-profiles.js';
