import { type Command, flagOf, type SettingName, settingsOf } from '@tutti/config';
import { quoted } from '../process/interruption.js';
import type { Flags } from './settings.js';

/**
 * The flags among those of one command that another one is to be given, as arguments of it.
 * @param except what it is told otherwise
 */
export function handedOn(
  flags: Flags,
  to: Command,
  except: readonly (SettingName | 'config')[] = [],
): string[] {
  const known = ['config', ...settingsOf(to)].filter(
    (name) => !(except as readonly string[]).includes(name),
  );
  return known.flatMap((name) => {
    const value = flags[name];
    if (value === undefined) return [];
    return value === true ? [flagOf(name)] : [flagOf(name), String(value)];
  });
}

/** A command as it was given, for a shell, but for what names checkpoints, and a timeline, which it would write over. */
export function commandAgain(command: Command, flags: Flags, path?: string): string {
  const except = ['checkpointDir', 'resume', 'from', 'timeline'] as const;
  const args = [...(path === undefined ? [] : [path]), ...handedOn(flags, command, except)];
  return ['tutti', command, ...args.map(quoted)].join(' ');
}
