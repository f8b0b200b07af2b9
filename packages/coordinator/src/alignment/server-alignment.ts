import type { Body, Aggregation as Place } from '@tutti/protocol';
import { type ResumePoint, readingCheckpoint } from '@tutti/run';
import type { Clock, Monitor } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Aggregation } from '../aggregation/aggregation.js';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import { createWindow, type Window } from '../servers/window.js';
import { chunkState } from '../state/collected-state.js';
import type { Job } from '../state/job.js';
import type { Awaiting } from '../status/awaiting.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import { alignVersions, type Straggler } from './align-versions.js';
import type { Holding } from './holdings.js';
import { createInitialValues } from './initial-values.js';

type Open = Extract<Body, { type: 'open' }>;

/** What the servers were brought to. */
export interface Aligned {
  readonly version: number;
  /** The version that some of their chunks may be at already: at most the next. */
  readonly most: number;
  /** The checkpoint that they were given, if they were given one. */
  readonly from?: ResumePoint;
}

/**
 * Brings the servers of a job to one version: gives each its range, and where nobody has any values
 * gives them those of a checkpoint, or has a worker make the initial ones.
 */
export interface ServerAlignment extends Awaiting {
  /**
   * Gives every server its range.
   * @param reset whether they must forget what they have
   * @param base asked at most once, for a checkpoint to begin with; it is told the latest version
   *   that any of them holds
   */
  align(reset: boolean, base: (most: number) => Promise<ResumePoint | undefined>): Promise<Aligned>;
  /** A server came back without its weights: all must go back to a version that everybody can have. */
  lost(): boolean;
  /** Another, without weights of use, has taken the place of one of the servers. */
  moved(): void;
  /** What a server says of itself when it is asked, also in the middle of the training. */
  holding(server: number, message: Holding): void;
  opened(server: number, versions: readonly number[]): void;
  /** A worker made the values of a chunk. */
  initial(member: Member, chunk: number, payload: Uint8Array): void;
  stored(server: number, chunk: number): void;
  /** A server is gone for good: what it said counts no more. */
  forget(server: number): void;
}

export function createServerAlignment(init: {
  readonly job: Job;
  readonly servers: Servers;
  readonly underWay: Pick<Aggregation, 'clear' | 'resend'>;
  /** Where the sums of the steps are made. */
  readonly aggregation: Place;
  readonly membership: Membership;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly emit: (event: RunEvent) => void;
  /** The version that is trained on; undefined while nothing is trained. */
  readonly version: () => number | undefined;
  /** A server is back with what it held, while the trained weights are collected. */
  readonly resumed: () => void;
}): ServerAlignment {
  const { job, servers, underWay, membership, monitor, deadlines } = init;
  const { layout } = job;
  /** By server, the version of each of its chunks. */
  const opened = new Map<number, readonly number[]>();
  const stored = new Set<number>();
  let lost = false;
  const values = createInitialValues({ ...init, layout, stored, lost: () => lost });
  let openMessage: ((range: { firstChunk: number; chunks: number }) => Open) | undefined;
  /** What the chunks come from that servers without values are given now. */
  let supply: Pick<Window, 'advance' | 'again'> | undefined;

  async function open(reset: boolean) {
    lost = false;
    opened.clear();
    stored.clear();
    underWay.clear();
    supply = undefined;
    const { plan } = job;
    openMessage = ({ firstChunk, chunks }) => ({ type: 'open', plan, firstChunk, chunks, reset });
    servers.broadcast(openMessage);
    await monitor.until(
      () => lost || servers.living().every((server) => opened.has(server)),
      () => ({
        who: servers.names,
        what: 'open the job',
        remedy:
          servers.faultOf(servers.living()) ??
          'Check that they run and that their ports can be reached.',
        deadlineMs: deadlines.serverMs,
      }),
    );
  }

  function giveUp({ server, least, best }: Straggler) {
    const behind = `it is at version ${least}, ${servers.nameOf(best.server)} at ${best.least} of the same chunks`;
    servers.giveUp(server, behind);
    opened.delete(server);
    membership.tellAll({ type: 'relocated', servers: servers.places(layout) });
    init.emit({
      event: 'warning',
      code: 'PEER_LOST',
      message: `${servers.nameOf(server)} is not used as it is: ${behind}`,
      remedy: 'Nothing is lost. It is given what that has before the next step.',
    });
  }

  /** Gives every chunk the state of a checkpoint. */
  async function restore(point: ResumePoint) {
    const window = createWindow({
      layout,
      tensors: 1 + point.slots.length,
      stored,
      give(chunks) {
        for (const chunk of chunks) {
          const body = { type: 'restore', chunk, version: point.step } as const;
          servers.sendTo(chunk, body, chunkState(layout, chunk, point));
        }
      },
    });
    supply = window;
    window.advance();
    await monitor.until(
      () => stored.size === layout.chunks || lost,
      () => ({
        who: servers.names,
        what: `take ${layout.chunks - stored.size} of ${layout.chunks} chunks of ${point.path}`,
        remedy:
          servers.faultOf(servers.living()) ??
          'Check that they run and that their ports can be reached.',
        deadlineMs: deadlines.serverMs,
      }),
    );
  }

  async function makeValues() {
    supply = values;
    await values.make();
  }

  return {
    async align(reset, base) {
      let from: { readonly point: ResumePoint | undefined } | undefined;
      for (let anew = reset; ; anew = true) {
        await open(anew);
        if (lost) continue;
        // Where each makes the sums itself the step is begun anew, and all keep the version before.
        const mostBehind = init.aggregation === 'server' ? 1 : 0;
        const { stragglers, least, most } = alignVersions(
          [...opened].map(([server, versions]) => {
            const { firstChunk } = servers.rangeOf(server);
            return { server, firstChunk, versions };
          }),
          mostBehind,
        );
        for (const straggler of stragglers) giveUp(straggler);
        // Another coordinator may have given one up long ago, and those that held the same are gone.
        const isWhole = least >= 0 && most - least <= 1 + mostBehind;
        // Chunks that are a version further ignore the sum of this step; a clipping norm needs it.
        if (isWhole) return { version: least, most };
        from ??= { point: await monitor.race(base(most), readingCheckpoint) };
        const { point } = from;
        // Some weights without the rest of their version are worth nothing.
        if (most > 0 || (most === 0 && point !== undefined)) continue;
        if (point !== undefined) await restore(point);
        else await makeValues();
        supply = undefined;
        const version = point?.step ?? 0;
        if (!lost) return { version, most: version, ...(point && { from: point }) };
      }
    },
    lost: () => lost,
    moved() {
      // It may hold what it had before in another place.
      lost = true;
    },

    holding(server, message) {
      if (openMessage === undefined) return;
      // What it was told while it was away did not arrive; what it held may be gone.
      if (message.job !== job.id) lost = true;
      else {
        const body = openMessage(servers.rangeOf(server));
        // One that has opened the job keeps what it has, but must learn by which way we come now.
        const again = opened.has(server);
        servers.send(server, again ? { ...body, reset: false } : body);
        if (again) {
          underWay.resend(server);
          supply?.again();
        }
      }
      if (!lost) init.resumed();
    },
    opened(server, versions) {
      opened.set(server, versions);
      const current = init.version();
      // It has missed what is not sent again, and no other holder is left: else it was not asked.
      if (current !== undefined && versions.some((version) => version < current)) lost = true;
    },
    initial: values.initial,
    stored(server, chunk) {
      // It says so of what it was to forget, and opens the job anew only after that.
      if (!opened.has(server)) return;
      stored.add(chunk);
      supply?.advance();
    },
    forget: (server) => void opened.delete(server),
    awaitsWorker: (member) => values.awaits(member),
    awaitsServer: (server) => (opened.has(server) ? undefined : 'open its range of the job'),
  };
}
