import type { Advanced, Contribution, Gathered, Misfit } from '@tutti/protocol';
import type { Ledger } from '../state/ledger.js';
import type { Member } from '../workers/roster.js';

/**
 * Where the contributions to a step are added, and how the servers come to apply the sums. Messages that
 * belong to another arrangement are ignored: they were on their way when this coordinator came.
 */
export interface Aggregation {
  /**
   * The steps from a version on.
   * @param most the version that some chunks are at already
   */
  begin(version: number, most: number): Ledger;
  /**
   * Has the servers apply what is ready of the step under way, as far as it has room on its way.
   * @param rate factor of the learning rate
   */
  give(rate: number): void;
  /**
   * Lets the servers apply sums of the steps before a version by themselves, where that is possible: the
   * ledger knows of it then.
   * @param rate as in `give`
   */
  allow(until: number, rate: number): void;
  /** Where a contribution to a chunk may be read to; undefined if it has another length. */
  landing(chunk: number, bytes: number): Uint8Array | undefined;
  /** Who sends what is no sum of a node of the tree is excluded. */
  contributed(member: Member, contribution: Contribution, payload: Uint8Array): void;
  /** A server has applied a sum that it was sent. */
  applied(server: number, step: number, chunk: number): void;
  /** A server tells of sums that it has made. */
  gathered(server: number, message: Gathered): void;
  /** A server has applied sums that it has made. */
  advanced(server: number, message: Advanced): void;
  /** A server was sent what is no sum of a node of the tree. */
  misfit(message: Misfit): void;
  /** The attempt, or those who take part in it, may be others: before they are told what to compute. */
  crewed(attempt: string, workers: readonly Member[]): void;
  /** Has whoever makes the sums say what they lack, if nothing else shows it. */
  ask(): void;
  /** Chunks that a server was told to apply, and has not acknowledged. */
  outstanding(server: number): number;
  /** Whether a server was told or asked something, and has not answered. */
  unanswered(server: number): boolean;
  /** A server is gone for good, and others hold the same: what was awaited of it is not. */
  forget(server: number): void;
  /** Somebody is gone without a word: has those that hold the same made equal, if one was told more than another. */
  compare(): void;
  /** A server is back with what it had: it is told again what it did not acknowledge. */
  resend(server: number): void;
  /** Nothing that is on its way is wanted any more. */
  clear(): void;
  /** Nothing is trained any more. */
  release(): void;
}
