import { contradiction, refuseContradictions } from '@tutti/runtime';
import type { SettingName, Settings } from './settings.js';

type Numbers = Partial<
  Record<
    | 'workers'
    | 'shards'
    | 'minWorkers'
    | 'rank'
    | 'heartbeatMs'
    | 'heartbeatDeadlineMs'
    | 'replicas'
    | 'verify',
    number
  >
>;
type Checked = Numbers & {
  readonly aggregation?: string;
  readonly servers?: number | string;
  readonly serverAddresses?: readonly string[];
};

/**
 * Refuses settings that contradict each other, naming both and where each came from. Call it
 * again once the program's own settings are merged in (with `sources.shards` = 'the program', say).
 *
 * Values whose source is `default` give way instead: whoever uses them takes the smaller number.
 */
export function crossCheck(
  settings: Pick<Settings, never> & Checked,
  sources: Readonly<Partial<Record<SettingName, string>>>,
): void {
  const explicit = (name: keyof Numbers) =>
    sources[name] === 'default' ? undefined : settings[name];
  const workers = explicit('workers');
  const heartbeatMs = explicit('heartbeatMs');
  const { shards, minWorkers, rank, heartbeatDeadlineMs } = settings;
  const { servers, serverAddresses } = settings;

  function refuse(a: keyof Checked, b: keyof Checked, why: string, remedy: string): never {
    throw contradiction(settings, sources, a, b, { why, remedy });
  }
  if (workers !== undefined && shards !== undefined && workers > shards) {
    refuse(
      'workers',
      'shards',
      'a shard is computed by one worker, so some would have nothing to do',
      `Lower workers to at most ${shards}, or raise shards (which changes the result).`,
    );
  }
  if (minWorkers !== undefined && workers !== undefined && minWorkers > workers) {
    refuse(
      'minWorkers',
      'workers',
      'there are never that many workers',
      `Lower minWorkers to at most ${workers}.`,
    );
  }
  if (
    heartbeatMs !== undefined &&
    heartbeatDeadlineMs !== undefined &&
    heartbeatMs >= heartbeatDeadlineMs
  ) {
    refuse(
      'heartbeatMs',
      'heartbeatDeadlineMs',
      'everybody would count as gone between two signs of life',
      'Give a deadline of several times the pause, the same on all machines.',
    );
  }
  if (servers === 'colocated' && serverAddresses !== undefined) {
    refuse(
      'servers',
      'serverAddresses',
      'servers are in the processes of workers, which say where, or elsewhere',
      'Leave out one of the two.',
    );
  }
  refuseContradictions(settings, sources);
  if (rank !== undefined && workers !== undefined && rank >= workers) {
    refuse('rank', 'workers', 'ranks count from 0', `Use a rank from 0 to ${workers - 1}.`);
  }
}
