import convict from 'convict';
import { SETTING_NAMES, type SettingName, type Settings, settingOf } from './settings.js';
import { allowedText, checkValue } from './values.js';

/** The convict schema of the table of settings. */
function createSchema(): convict.Schema<Settings> {
  const entries = SETTING_NAMES.map((name) => {
    const setting = settingOf(name);
    const format = (value: unknown) => {
      if (checkValue(setting, value) === undefined) {
        throw new Error(`must be ${allowedText(setting)}`);
      }
    };
    return [name, { doc: setting.doc, default: setting.default, format }];
  });
  return Object.fromEntries(entries) as convict.Schema<Settings>;
}

/** Lays `values` over the defaults of the schema; strict, so nothing else gets through. */
export function applySchema(values: Partial<Record<SettingName, unknown>>): Settings {
  // Empty env and args: convict would otherwise read the process itself.
  const config = convict<Settings>(createSchema(), { env: {}, args: [] });
  config.load(values as Partial<Settings>);
  config.validate({ allowed: 'strict' });
  const set = Object.entries(config.getProperties()).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as unknown as Settings;
}
