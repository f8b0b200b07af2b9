import { crossCheck } from './cross-checks.js';
import type { SettingsFile } from './file.js';
import { settingsOf } from './names.js';
import { applySchema } from './schema.js';
import type { Command } from './setting.js';
import { SETTING_NAMES, type SettingName, type Settings } from './settings.js';
import { fromEnvironment, fromFile, fromFlags } from './sources.js';

/** What launchers start one at a time; left over in a shell, their variables must not disturb others. */
const LAUNCHED: readonly Command[] = ['coordinator', 'server', 'worker', 'status'];
const isLaunched = (command: Command | undefined) =>
  command === undefined || LAUNCHED.includes(command);

export interface ResolveInit {
  /** What was given on the command line, by setting name; undefined means not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** process.env, say. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly file?: SettingsFile | undefined;
  /**
   * Whose settings count; all, if not given. Others are checked and then ignored in the environment
   * and the file (which several commands may share).
   */
  readonly command?: Command;
}

export interface ResolvedSettings {
  /** What was set, over the defaults of the schema. The program's settings go in between. */
  readonly settings: Settings;
  /** Where each came from: `flag --seed`, `environment TUTTI_SEED`, `file x.json` or `default`. */
  readonly sources: Readonly<Partial<Record<SettingName, string>>>;
}

/**
 * Flags over environment over file over defaults. Every source is checked in full, so a mistake
 * does not hide behind a flag that overrules it.
 *
 * Throws BAD_CONFIG for an unknown name, an impossible value or settings that contradict each other.
 */
export function resolveSettings(init: ResolveInit): ResolvedSettings {
  const { command } = init;
  const counts = new Set(command === undefined ? SETTING_NAMES : settingsOf(command));
  const values: Partial<Record<SettingName, unknown>> = {};
  const sources: Partial<Record<SettingName, string>> = {};
  const layers = [
    ...(init.file === undefined ? [] : [fromFile(init.file)]),
    fromEnvironment(init.environment ?? {}, isLaunched(command), command !== 'worker'),
    fromFlags(init.flags ?? {}),
  ];
  for (const layer of layers) {
    for (const [name, { value, source }] of layer) {
      if (!counts.has(name)) continue;
      values[name] = value;
      sources[name] = source;
    }
  }
  const settings = applySchema(values);
  for (const name of Object.keys(settings) as SettingName[]) {
    if (settings[name] !== undefined) sources[name] ??= 'default';
  }
  crossCheck(settings, sources);
  return { settings, sources };
}
