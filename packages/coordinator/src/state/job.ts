import { type Layout, layoutOf } from '@tutti/parameters';
import { type Body, type JobPlan, type Message, PROTOCOL_VERSION } from '@tutti/protocol';

/** What is trained. It never changes once it is settled. */
export interface Job {
  readonly id: string;
  readonly plan: JobPlan;
  readonly layout: Layout;
}

/** Which job this coordinator runs: that is not known before servers, a checkpoint or a worker say so. */
export interface JobIdentity {
  /** What messages carry. Until the job is settled it may still become another one. */
  id(): string;
  /** Undefined until it is settled. */
  job(): Job | undefined;
  /** @param id of a job that was there before this coordinator */
  settle(plan: JobPlan, id?: string): Job;
}

/** @param newId of a job that begins with this coordinator */
export function createJobIdentity(newId: string): JobIdentity {
  let id = newId;
  let job: Job | undefined;
  return {
    id: () => id,
    job: () => job,
    settle(plan, known = id) {
      id = known;
      job = { id, plan, layout: layoutOf(plan) };
      return job;
    },
  };
}

/** Makes messages of their bodies. */
export function stampOf(
  identity: Pick<JobIdentity, 'id'>,
  session: string,
): (body: Body) => Message {
  return (body) => ({
    // First, since V8 gives every object that gets keys after a spread a hidden class of its own.
    protocol: PROTOCOL_VERSION,
    job: identity.id(),
    session,
    ...body,
  });
}
