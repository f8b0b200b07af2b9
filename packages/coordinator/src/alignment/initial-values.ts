import type { Layout } from '@tutti/parameters';
import type { Clock, Monitor, Timer } from '@tutti/runtime';
import type { Deadlines } from '../coordinator-settings.js';
import type { Servers } from '../servers/servers.js';
import { createWindow, type Window } from '../servers/window.js';
import { patienceMs } from '../stragglers/silence.js';
import { INITIAL_VALUES_TICK_MS } from '../tunables.js';
import type { Membership } from '../workers/membership.js';
import type { Member } from '../workers/roster.js';

/**
 * The values of version 0: a worker makes them, and another as well if that one is lost or silent.
 * They follow from the seed, so the first copy of each chunk counts.
 */
export interface InitialValues {
  /** Resolves when all are stored, or when a server has lost what it had. */
  make(): Promise<void>;
  /** A worker made the values of a chunk. */
  initial(member: Member, chunk: number, payload: Uint8Array): void;
  /** A server has stored a chunk: there is room for more. */
  advance(): void;
  /** What this worker was asked for; undefined if nothing is under way. */
  awaits(member: Member): string | undefined;
  /** A server is back: what was sent to it meanwhile is lost. */
  again(): void;
}

export function createInitialValues(init: {
  readonly layout: Layout;
  readonly servers: Pick<Servers, 'sendTo'>;
  readonly membership: Membership;
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The chunks that the servers have acknowledged. */
  readonly stored: ReadonlySet<number>;
  /** Whether a server has lost what it had. */
  readonly lost: () => boolean;
}): InitialValues {
  const { layout, servers, membership, monitor, clock, deadlines, stored, lost } = init;
  /** Who was asked, for how long each has been silent, and how long it took to the last chunk. */
  const asked = new Map<
    Member,
    { silentMs: number; tookMs: number; sent: boolean; readonly window: Window }
  >();

  const done = () => stored.size === layout.chunks || lost();
  const present = () => [...membership].filter((member) => asked.has(member));
  const unasked = () => [...membership].find((member) => member.ready && !asked.has(member));
  /** Whether somebody else should be asked too. */
  const overdue = () =>
    present().every((member) => asked.get(member)!.silentMs >= deadlines.progressMs) &&
    unasked() !== undefined;

  const wanted = () =>
    `send the initial values (${stored.size} of ${layout.chunks} chunks are stored)`;

  function tick(): Timer {
    return clock.after(INITIAL_VALUES_TICK_MS, () => {
      for (const entry of asked.values()) {
        entry.silentMs += INITIAL_VALUES_TICK_MS;
        if (!entry.sent) entry.tookMs += INITIAL_VALUES_TICK_MS;
      }
      timer = tick();
      monitor.notify();
    });
  }
  let timer: Timer | undefined;

  /** Whoever was silent for ten times what another took hangs. */
  function dropSilent() {
    const took = [...asked.values()].filter(({ sent }) => sent).map(({ tookMs }) => tookMs);
    const limitMs = patienceMs(deadlines.progressMs, Math.min(...took));
    for (const member of present()) {
      const { sent, silentMs } = asked.get(member)!;
      if (sent || silentMs < limitMs) continue;
      const seconds = (silentMs / 1000).toFixed(1);
      const reason = `it owes the initial values and was not heard for ${seconds} s`;
      membership.drop(member.worker, reason);
    }
  }

  return {
    async make() {
      timer = tick();
      try {
        while (!done()) {
          await monitor.until(
            () => done() || unasked() !== undefined,
            () => membership.anyone('join and make the initial values'),
          );
          const chosen = unasked();
          if (chosen === undefined) continue;
          const window = createWindow({
            layout,
            tensors: 1,
            stored,
            give: (chunks) => membership.tell(chosen, { type: 'initialize', chunks }),
          });
          asked.set(chosen, { silentMs: 0, tookMs: 0, sent: false, window });
          window.advance();
          await monitor.until(
            () => done() || present().length === 0 || overdue(),
            () => ({
              who: `worker ${present().map(({ worker }) => worker)}`,
              what: wanted(),
              remedy: 'See what the worker says.',
              deadlineMs: deadlines.stepMs,
            }),
          );
        }
        dropSilent();
      } finally {
        timer.cancel();
        // What comes now must not meet what another checkpoint or run put there.
        asked.clear();
      }
    },
    initial(member, chunk, payload) {
      const entry = asked.get(member);
      if (entry === undefined) return;
      entry.silentMs = 0;
      entry.sent = true;
      if (!stored.has(chunk)) servers.sendTo(chunk, { type: 'store', chunk }, payload.slice());
    },
    awaits: (member) => (asked.has(member) ? wanted() : undefined),
    advance() {
      for (const { window } of asked.values()) window.advance();
    },
    again() {
      for (const member of present()) asked.get(member)!.window.again();
    },
  };
}
