import { layoutOf } from '@tutti/parameters';
import type { Body, Message } from '@tutti/protocol';
import { type ResumePoint, readingCheckpoint } from '@tutti/run';
import { TuttiError } from '@tutti/runtime';
import { createWindow, type Window } from '../servers/window.js';
import { chunkState } from '../state/collected-state.js';
import type { JobParts } from '../state/job-state.js';
import type { Awaiting } from '../status/status.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';
import { createInitialValues } from './initial-values.js';

type Holding = Extract<Message, { type: 'holding' }>;
type Open = Extract<Body, { type: 'open' }>;

/** How long a server whose standby is there is waited for when a coordinator comes back. */
const PATIENCE_MS = 3000;

/** What the servers were brought to. */
export interface Opened {
  readonly version: number;
  /** All that could have had a later version were asked. */
  readonly complete: boolean;
  /** The checkpoint that they were given, if they were given one. */
  readonly from?: ResumePoint;
}

/**
 * Brings the servers of a job to one version: finds what they hold, gives each its range, and where
 * nobody has any values gives them those of a checkpoint, or has a worker make the initial ones.
 */
export interface Opening extends Awaiting {
  /**
   * Asks the servers which job they serve; if one, takes its id and plan. Those that do not answer
   * are given up, if others hold the same.
   */
  identify(): Promise<void>;
  /**
   * Gives every server its range.
   * @param reset whether they must forget what they have
   * @param base asked at most once, for a checkpoint to begin with; it is told the latest version
   *   that any of them holds
   */
  open(reset: boolean, base: (most: number) => Promise<ResumePoint | undefined>): Promise<Opened>;
  /** What a server says of itself when it is asked, also in the middle of the training. */
  holding(server: number, message: Holding): void;
  opened(server: number, versions: readonly number[]): void;
  /** A worker made the values of a chunk. */
  initial(member: Member, chunk: number, payload: Uint8Array): void;
  stored(server: number, chunk: number): void;
  /** A server is gone for good: what it said counts no more. */
  forget(server: number): void;
}

export function createOpening(
  init: JobParts & {
    readonly membership: Membership;
    /** A server is back with what it held, while the trained weights are collected. */
    readonly resumed: () => void;
  },
): Opening {
  const { state, servers, sums, membership, monitor, clock, deadlines } = init;
  /** What each server said it holds: the job that it serves, if any. */
  const holdings = new Map<number, Holding>();
  /** By server, the version of each of its chunks. */
  const opened = new Map<number, readonly number[]>();
  const stored = new Set<number>();
  const values = createInitialValues({ stored, ...init });
  let openMessage: ((range: { firstChunk: number; chunks: number }) => Open) | undefined;
  /** What the chunks come from that servers without values are given now. */
  let supply: Pick<Window, 'advance' | 'again'> | undefined;
  let complete = true;

  /**
   * Workers may be at the version that one holder of a range has in full, and cannot go back from it.
   * Another holder, which its coordinator did not live to tell all of it, is of no use then.
   */
  function dismissStragglers() {
    // With more servers than chunks some hold none, and are not behind in anything.
    const holders = [...opened]
      .filter(([, versions]) => versions.length > 0)
      .map(([server, versions]) => ({
        server,
        firstChunk: servers.rangeOf(server).firstChunk,
        least: Math.min(...versions),
      }));
    for (const { server, firstChunk, least } of holders) {
      const best = holders
        .filter((other) => other.firstChunk === firstChunk)
        .reduce((a, b) => (b.least > a.least ? b : a));
      if (least === best.least) continue;
      const behind = `it is at version ${least}, ${servers.nameOf(best.server)} at ${best.least} of the same chunks`;
      servers.dismiss(server, behind);
      opened.delete(server);
      membership.tellAll({ type: 'relocated', servers: servers.ranges(state.layout!) });
      init.emit({
        event: 'warning',
        code: 'PEER_LOST',
        message: `${servers.nameOf(server)} is not used any more: ${behind}`,
        remedy: 'Nothing is lost; there is one standby less. Start the job again to have it back.',
      });
    }
  }

  /** The lowest version of each chunk over its holders. */
  function versionsByChunk(): number[] {
    const versions = new Array<number>(state.layout!.chunks).fill(Number.POSITIVE_INFINITY);
    for (const [server, held] of opened) {
      const first = servers.rangeOf(server).firstChunk;
      for (const [at, version] of held.entries())
        versions[first + at] = Math.min(versions[first + at]!, version);
    }
    return versions;
  }

  /** Gives every chunk the state of a checkpoint. */
  async function restore(point: ResumePoint) {
    const layout = state.layout!;
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
      () => stored.size === layout.chunks || state.rollback,
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
  return {
    async identify() {
      servers.inquire();
      const silent = () => servers.living().filter((server) => !holdings.has(server));
      const replaceable = (server: number) =>
        servers.siblings(server).some((other) => holdings.get(other)?.plan !== undefined);
      let patient = true;
      const patience = clock.after(PATIENCE_MS, () => {
        patient = false;
        monitor.notify();
      });
      await monitor.until(
        () => silent().every((server) => !patient && replaceable(server)),
        () => ({
          who: silent().map(servers.nameOf).join(', '),
          what: 'say what they hold',
          remedy:
            servers.faultOf(silent()) ?? 'Start them, and check that their ports can be reached.',
          deadlineMs: deadlines.joinMs,
        }),
      );
      patience.cancel();
      const missing = silent();
      complete = missing.length === 0;
      for (const server of missing)
        servers.giveUp(server, `it has not answered within ${PATIENCE_MS / 1000} s`);
      const found = [...holdings.values()].filter(({ job }) => job !== '');
      const [first] = found;
      if (first?.plan === undefined) return;
      if (found.some(({ job }) => job !== first.job))
        throw new TuttiError('REFUSED', 'The servers belong to different jobs', {
          remedy: 'End the servers that are left over from another run.',
        });
      state.job = first.job;
      state.plan = first.plan;
      state.layout = layoutOf(first.plan);
    },

    async open(reset, base) {
      let from: { readonly point: ResumePoint | undefined } | undefined;
      for (let anew = reset; ; anew = true) {
        state.rollback = false;
        opened.clear();
        stored.clear();
        sums.clear();
        supply = undefined;
        openMessage = ({ firstChunk, chunks }) => ({
          type: 'open',
          plan: state.plan!,
          firstChunk,
          chunks,
          reset: anew,
        });
        servers.broadcast(openMessage);
        await monitor.until(
          () => servers.living().every((server) => opened.has(server)) || state.rollback,
          () => ({
            who: servers.names,
            what: 'open the job',
            remedy:
              servers.faultOf(servers.living()) ??
              'Check that they run and that their ports can be reached.',
            deadlineMs: deadlines.serverMs,
          }),
        );
        if (state.rollback) continue;
        dismissStragglers();
        const versions = versionsByChunk();
        const [least, most] = [Math.min(...versions), Math.max(...versions)];
        if (least < 0) {
          from ??= { point: await monitor.race(base(most), readingCheckpoint) };
          const { point } = from;
          // Some weights without the rest of their version are worth nothing.
          if (most > 0 || (most === 0 && point !== undefined)) continue;
          if (point !== undefined) await restore(point);
          else {
            supply = values;
            await values.make();
          }
          supply = undefined;
          if (state.rollback) continue;
          return { version: point?.step ?? 0, complete, ...(point && { from: point }) };
        }
        // Chunks that are a version further ignore the sum of this step; a clipping norm needs it.
        return { version: least, complete };
      }
    },

    holding(server, message) {
      holdings.set(server, message);
      if (openMessage === undefined) return;
      // What it was told while it was away did not arrive; what it held may be gone.
      if (message.job !== state.job) state.rollback = true;
      else {
        const open = openMessage(servers.rangeOf(server));
        // One that has opened the job keeps what it has, but must learn by which way we come now.
        const again = opened.has(server);
        servers.send(server, again ? { ...open, reset: false } : open);
        if (again) {
          sums.resend(server);
          supply?.again();
        }
      }
      if (!state.rollback) init.resumed();
    },
    opened(server, versions) {
      opened.set(server, versions);
      const { ledger } = state;
      // It has missed what is not sent again, and no other holder is left: else it was not asked.
      if (ledger !== undefined && versions.some((version) => version < ledger.version()))
        state.rollback = true;
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
    awaitsServer(server) {
      if (openMessage === undefined) return holdings.has(server) ? undefined : 'say what it holds';
      return opened.has(server) ? undefined : 'open its range of the job';
    },
  };
}
