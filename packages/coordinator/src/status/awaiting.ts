import type { Member } from '../workers/roster.js';

/** A part of a job that waits for workers and servers, and can say what for. */
export interface Awaiting {
  /** What this worker is waited for, as the end of "is to ..."; undefined if nothing. */
  awaitsWorker(member: Member): string | undefined;
  awaitsServer(server: number): string | undefined;
}
