import type { Command } from './setting.js';
import { SETTING_NAMES, type SettingName, settingOf } from './settings.js';

/** batchSize -> --batch-size */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** batchSize -> TUTTI_BATCH_SIZE */
export function variableOf(name: string): string {
  return `TUTTI_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The settings that a command uses, in the order of the table. */
export function settingsOf(command: Command): readonly SettingName[] {
  return SETTING_NAMES.filter((name) => settingOf(name).commands.includes(command));
}
