import type { Ledger } from '../state/ledger.js';
import { type Assignee, assignShards, rebalance, type Shares } from './assignment.js';
import type { CrewSize } from './crew-size.js';
import type { Mail } from './mail.js';
import type { Member, Roster } from './roster.js';
import type { WorkerTimings } from './timings.js';

/** Gives the shards of the step under way to the workers, and tells them. */
export interface ShardAssigner {
  /**
   * Gives every shard to a member, as soon as there are enough.
   * @param rewind whether workers may be further, and must go back
   */
  assign(rewind?: boolean): void;
  /** What does not belong to it was computed, or sent, before the weights went back. */
  attempt(): string;
  /** Moves shards to where a step is done sooner, if that is worth it. */
  rebalance(): void;
  /** Has a member that is behind do nothing more for steps that are over. */
  catchUp(member: Member): void;
}

export function createShardAssigner(init: {
  readonly roster: Pick<Roster, 'ready' | 'give'>;
  readonly mail: Pick<Mail, 'tell'>;
  readonly timings: Pick<WorkerTimings, 'speed'>;
  readonly crewSize: Pick<CrewSize, 'least'>;
  readonly newId: () => string;
  /** Is told who takes part in which attempt, before those are told what to compute. */
  readonly crewed: (attempt: string, workers: readonly Member[]) => void;
  /** The ledger of the step under way; undefined while nothing is trained. */
  readonly ledger: () => Ledger | undefined;
}): ShardAssigner {
  const { roster, mail, timings, crewSize } = init;
  let generation = 0;
  let attempt = '';

  const enough = () => roster.ready().length >= crewSize.least();
  const assignees = (): Assignee[] =>
    roster
      .ready()
      .map(({ worker, shards }) => ({ name: worker, speed: timings.speed(worker), shards }));

  function give(shares: Shares, ledger: Ledger) {
    generation++;
    for (const member of roster.ready()) {
      roster.give(member, shares.get(member.worker) ?? []);
      announce(member, ledger);
    }
  }

  function announce(member: Member, ledger: Ledger) {
    const { shards } = member;
    mail.tell(member, { type: 'assign', generation, step: ledger.version(), shards, attempt });
  }

  return {
    assign(rewind = false) {
      if (rewind) attempt = init.newId();
      const ledger = init.ledger();
      if (ledger === undefined) return;
      init.crewed(attempt, roster.ready());
      if (enough()) give(assignShards(ledger.plan.shards, assignees()), ledger);
    },
    attempt: () => attempt,
    rebalance() {
      const ledger = init.ledger();
      if (ledger === undefined || !enough()) return;
      const shares = rebalance(ledger.plan.shards, assignees());
      if (shares !== undefined) give(shares, ledger);
    },
    catchUp(member) {
      const ledger = init.ledger();
      if (ledger === undefined) return;
      generation++;
      announce(member, ledger);
    },
  };
}
