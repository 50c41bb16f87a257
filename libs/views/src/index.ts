export { CapabilityName } from './capability-name.js';
export { checkViews, type ViewCheck } from './check-views.js';
export { type Clash, type ClashKind, clashKinds } from './clash.js';
export { type DeviceRow, deviceRowOf, deviceStates, deviceVerdicts } from './device-row.js';
export { filterFits } from './filter-fits.js';
export { type Halt } from './follow-page.js';
export { dangersDigest, modelledBy, modelOf } from './function-projection.js';
export { type FunctionRow } from './function-row.js';
export { type ClashFilter, type DeviceFilter, type FunctionFilter, type MigrationFilter } from './list-query.js';
export { type MigrationRow, migrationRowOf } from './migration-row.js';
export { Model, untoldModel } from './model.js';
export { type ObservedFunction, observedFunction, surveyOf } from './observed-function.js';
export { type ModelTold, ObservedModel } from './observed-model.js';
export { type KeptEvidence, type Progress, type Listed, Views, type VmRow } from './views.js';
export { type RebuiltViews, rebuildViews } from './rebuild-views.js';
export {
  type ListedState, type SavedPart, type SavedState, SavedStates, type SavedUpTo, withSavedStates,
} from './saved-states.js';
export { inMemory, isViewFailure, viewFileName, ViewsUnusable } from './view-file.js';
export { type ListedClash } from './view-rows.js';
export { type Checkpoint, type ViewState } from './view-tables.js';
