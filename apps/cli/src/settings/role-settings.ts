import { parseInterval, parseNetwork, type Settings } from '@tutti/config';
import type { Deadlines } from '@tutti/coordinator';
import { DEADLINES } from '@tutti/coordinator/internal';
import { LOCAL_SETTINGS, type LocalSettings } from '@tutti/launch';
import type { Heartbeat } from '@tutti/transport';

/**
 * What the roles read of the settings: those that they know, under the names that they have there.
 * What comes in another form there follows from its name.
 */
export function roleSettings(settings: Settings): LocalSettings {
  const { checkpointEvery, network } = settings;
  return {
    ...pick(settings, LOCAL_SETTINGS),
    checkpointEvery: checkpointEvery === undefined ? undefined : parseInterval(checkpointEvery),
    network: network === undefined ? undefined : parseNetwork(network),
    deadlines: deadlinesOf(settings),
    heartbeat: heartbeatOf(settings),
  };
}

function pick<Name extends string>(settings: Settings, names: Readonly<Record<Name, true>>) {
  const known = Object.entries(settings).filter(([name]) => Object.hasOwn(names, name));
  return Object.fromEntries(known) as Pick<Settings, Name & keyof Settings>;
}

function heartbeatOf({ heartbeatMs, heartbeatDeadlineMs }: Settings): Heartbeat {
  // A pause that nobody asked for gives way to the deadline.
  const pauseMs = Math.min(heartbeatMs, Math.ceil(heartbeatDeadlineMs / 2));
  return { heartbeatMs: pauseMs, timeoutMs: heartbeatDeadlineMs };
}

type DeadlineSetting<Name extends keyof Deadlines> = Name extends `${infer Of}Ms`
  ? `${Of}DeadlineMs`
  : never;

/** joinMs is what joinDeadlineMs says, and so on. */
function deadlinesOf(settings: Settings): Partial<Deadlines> {
  const names = Object.keys(DEADLINES) as (keyof Deadlines)[];
  const settingOf = (name: keyof Deadlines) =>
    name.replace(/Ms$/, 'DeadlineMs') as DeadlineSetting<typeof name>;
  return Object.fromEntries(names.map((name) => [name, settings[settingOf(name)]]));
}
