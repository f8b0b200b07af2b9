import {
  allowedText,
  type Command as CommandName,
  fallbackText,
  flagOf,
  type SettingName,
  settingOf,
  settingsOf,
} from '@tutti/config';
import { type Command, Option } from 'commander';

/** Gives a command one flag for each of its settings, under the headings of the table. */
export function addSettingOptions(command: Command, name: CommandName): void {
  for (const setting of settingsOf(name)) command.addOption(optionOf(setting, name));
  command.addOption(
    new Option(
      '--config <file>',
      'settings file, JSON or TOML (default: tutti.config.json or .toml beside the program)',
    ).helpGroup('Files:'),
  );
}

function optionOf(name: SettingName, command: CommandName): Option {
  const setting = settingOf(name);
  const flag = flagOf(name);
  const { kind, doc } = setting;
  const group = `${setting.group}:`;
  if (kind === 'boolean') return new Option(flag, doc).helpGroup(group);
  const value = kind === 'port' ? '[port]' : `<${placeholder(name)}>`;
  const values = kind === 'choice' ? `: ${setting.values.join(', ')}` : '';
  // Checked by @tutti/config, which also knows the other sources; commander only splits words.
  return new Option(
    `${flag} ${value}`,
    `${doc}${values} (default: ${fallbackText(name, command)})`,
  ).helpGroup(group);
}

function placeholder(name: SettingName): string {
  const setting = settingOf(name);
  const { kind } = setting;
  if (name === 'resume') return 'path';
  if (name === 'checkpointBest') return 'metric';
  if (setting.kind === 'integer' && setting.words !== undefined)
    return ['count', ...setting.words].join('|');
  if (kind === 'integer') return name.endsWith('Ms') ? 'ms' : 'count';
  if (kind === 'text')
    return /dir|output|checkpoint|file|timeline|tensorboard/i.test(name) ? 'path' : 'text';
  return kind === 'choice' ? 'which' : kind;
}

/** The allowed values of a flag, for messages about a missing one. */
export function allowedOf(flag: string, name: CommandName): string | undefined {
  const setting = settingsOf(name).find((candidate) => flagOf(candidate) === flag);
  return setting === undefined ? undefined : allowedText(settingOf(setting));
}
