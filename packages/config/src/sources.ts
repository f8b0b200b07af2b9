import { closest, showValue, TuttiError } from '@tutti/runtime';
import { isEveryInterface, normalizeHost } from './address.js';
import { flagOf, variableOf } from './names.js';
import { isServiceLink } from './service-links.js';
import type { Command } from './setting.js';
import { DEFAULT_COORDINATOR, SETTING_NAMES, type SettingName, settingOf } from './settings.js';
import { allowedText, checkValue, parseText, type SettingValue } from './values.js';

/** A value, checked, and where it came from: `flag --batch-size`, `environment TUTTI_SEED`, ... */
export interface Sourced {
  readonly value: SettingValue;
  readonly source: string;
}

export type SourcedValues = ReadonlyMap<SettingName, Sourced>;

/** Variables that begin with TUTTI_ and are no settings. */
export const OTHER_VARIABLES: readonly string[] = [
  /** The settings file, like --config. */
  'TUTTI_CONFIG',
  /** The folder of the user's that keeps the native TensorFlow libraries. */
  'TUTTI_CACHE',
  /** Which tfjs backend computes: tensorflow or cpu. */
  'TUTTI_TF_BACKEND',
];

/** Flags by setting name, as commander gives them: text, or what has been converted already. */
export function fromFlags(flags: Readonly<Record<string, unknown>>): SourcedValues {
  const values = new Map<SettingName, Sourced>();
  for (const [key, given] of Object.entries(flags)) {
    if (given === undefined) continue;
    const name = knownName(key, 'flag', flagOf(key), SETTING_NAMES.map(flagOf));
    values.set(name, sourced(name, given, `flag ${flagOf(name)}`, true));
  }
  return values;
}

/** The content of a settings file. Its values have their own types: `"workers": "4"` is refused. */
export function fromFile(file: {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}): SourcedValues {
  const values = new Map<SettingName, Sourced>();
  for (const [key, given] of Object.entries(file.values)) {
    const name = knownName(key, `file ${file.path}`, key, SETTING_NAMES);
    values.set(name, sourced(name, given, `file ${file.path}`, false));
  }
  return values;
}

/**
 * TUTTI_* first (but for those of Kubernetes services), then the variables that torchrun, Kubernetes operators and others set.
 * @param launched whether those count: they are for the processes of a cluster
 * @param leading whether this may be the process that they name the machine of
 */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  launched = true,
  leading = true,
): SourcedValues {
  const values = launched ? commonVariables(environment, leading) : new Map<SettingName, Sourced>();
  const variables = new Map(SETTING_NAMES.map((name) => [variableOf(name), name]));
  const known = [...variables.keys(), ...OTHER_VARIABLES];
  for (const [key, text] of Object.entries(environment)) {
    if (text === undefined || !key.startsWith('TUTTI_') || OTHER_VARIABLES.includes(key)) continue;
    const setting = variables.get(key);
    if (setting === undefined && isServiceLink(key, text)) continue;
    const name = setting ?? knownName(key, 'environment', key, known);
    values.set(name, sourced(name, text, `environment ${key}`, true));
  }
  return values;
}

function commonVariables(
  environment: Readonly<Record<string, string | undefined>>,
  leading: boolean,
): Map<SettingName, Sourced> {
  const values = new Map<SettingName, Sourced>();
  const { MASTER_ADDR: host, RANK: rank, WORLD_SIZE: size } = environment;
  const given = environment.MASTER_PORT;
  // A Kubernetes service called `master` sets it, too.
  const port = given !== undefined && isServiceLink('MASTER_PORT', given) ? undefined : given;
  if (host !== undefined || port !== undefined) {
    const names = [
      host === undefined ? '' : 'MASTER_ADDR',
      port === undefined ? '' : 'MASTER_PORT',
    ];
    const source = `environment ${names.filter(Boolean).join(' and ')}`;
    const [, fallbackHost, fallbackPort] = /^tcp:\/\/(.*):(\d+)$/.exec(DEFAULT_COORDINATOR)!;
    // What is no host is left as it is, for the check to name it.
    const at = (where: string) => `tcp://${normalizeHost(where) ?? where}:${port ?? fallbackPort}`;
    values.set('coordinator', sourced('coordinator', at(host ?? fallbackHost!), source, true));
    // Whoever names another machine than this one wants to be reached from there.
    values.set('listen', sourced('listen', at(loopbackOf(host) ?? '*'), source, true));
  }
  if (leading && host !== undefined && !isEveryInterface(host))
    values.set('advertise', sourced('advertise', host, 'environment MASTER_ADDR', true));
  if (rank !== undefined) values.set('rank', sourced('rank', rank, 'environment RANK', true));
  if (size !== undefined) {
    values.set('workers', sourced('workers', size, 'environment WORLD_SIZE', true));
  }
  return values;
}

/** The address by which a host is this machine for itself alone; undefined if it is not. */
function loopbackOf(host = 'localhost'): string | undefined {
  if (/^(::1|\[::1\])$/.test(host)) return '::1';
  return /^(localhost|127\..*)$/.test(host) ? '127.0.0.1' : undefined;
}

function sourced(name: SettingName, given: unknown, source: string, text: boolean): Sourced {
  const setting = settingOf(name);
  const parsed = text && typeof given === 'string' ? parseText(setting, given) : given;
  const value = checkValue(setting, parsed);
  if (value === undefined) {
    const shown = given === '' ? 'is empty' : `is ${showValue(given)}`;
    const suggestion =
      typeof given !== 'string'
        ? undefined
        : setting.kind === 'choice'
          ? closest(given, setting.values)
          : setting.kind === 'integer'
            ? closest(given, setting.words ?? [])
            : undefined;
    throw new TuttiError(
      'BAD_CONFIG',
      `${name} (${source}) ${shown}, but it must be ${allowedText(setting)}.`,
      {
        remedy: suggestion === undefined ? leaveOut(name) : `Did you mean ${suggestion}?`,
        details: { setting: name, source, value: given, allowed: allowedText(setting) },
      },
    );
  }
  return { value, source };
}

function leaveOut(name: SettingName): string {
  const then =
    typeof settingOf(name).otherwise === 'object' ? 'what --help says' : fallbackText(name);
  return `Correct it, or leave it out: then it is ${then}.`;
}

/** What holds if nobody sets it; for all commands, if none is named. */
export function fallbackText(name: SettingName, command?: Command): string {
  const { default: value, otherwise = 'not set' } = settingOf(name);
  if (value !== undefined) return String(value);
  if (typeof otherwise === 'string') return otherwise;
  const own = command && otherwise[command];
  if (own !== undefined) return own;
  const each = Object.entries(otherwise);
  const whose = (text: string) => each.filter(([, other]) => other === text).map(([name]) => name);
  const texts = [...new Set(each.map(([, text]) => text))];
  return texts.map((text) => `${whose(text).join(' and ')}: ${text}`).join('; ');
}

function knownName(
  key: string,
  source: string,
  spelled: string,
  known: readonly string[],
): SettingName {
  if ((SETTING_NAMES as readonly string[]).includes(key)) return key as SettingName;
  const suggestion = closest(spelled, known);
  throw new TuttiError('BAD_CONFIG', `There is no setting ${spelled} (${source}).`, {
    remedy:
      suggestion === undefined
        ? `Remove it. Known are: ${known.join(', ')}.`
        : `Did you mean ${suggestion}? Otherwise remove it. Known are: ${known.join(', ')}.`,
    details: { key, source, suggestion, allowed: known },
  });
}
