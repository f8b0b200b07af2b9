export { isEveryInterface, normalizeAddress, normalizeHost } from './address.js';
export { crossCheck } from './cross-checks.js';
export { findSettingsFile, parseSettings, SETTINGS_FILES, type SettingsFile } from './file.js';
export { type Interval, parseInterval } from './interval.js';
export { flagOf, settingsOf, variableOf } from './names.js';
export { type Network, parseNetwork } from './network.js';
export { type ResolvedSettings, type ResolveInit, resolveSettings } from './resolve.js';
export { COMMANDS, type Command, type Setting } from './setting.js';
export {
  DASHBOARD_PORT,
  DEFAULT_COORDINATOR,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type Settings,
  settingOf,
} from './settings.js';
export { fallbackText, OTHER_VARIABLES } from './sources.js';
export { allowedText } from './values.js';
