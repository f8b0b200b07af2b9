import {
  DATA_REMEDY,
  dataDifference,
  type JobPlan,
  type Join,
  type ProgramDescription,
} from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

/** What becomes of a worker that would like to join. */
export type Admission =
  | { readonly kind: 'admit' }
  /** Somebody has its name who may be dead: it waits a while. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'refuse'; readonly why: TuttiError };

/** A worker that would like to join, and what is known of it. */
export interface Applicant {
  readonly join: Pick<Join, 'worker' | 'description'>;
  /** Its connection has joined already. */
  readonly joined: boolean;
  /** Why its process is not taken back, if that is so. */
  readonly ban: TuttiError | undefined;
  /** Another process has its name. */
  readonly namesake: boolean;
  /** It has waited for its name as long as anybody does. */
  readonly waited: boolean;
}

/** What it has to agree with. */
export interface Agreement {
  /** Undefined before the job is settled. */
  readonly plan: JobPlan | undefined;
  /** The first worker that was admitted, and its program. */
  readonly first: { readonly worker: string; readonly description: ProgramDescription } | undefined;
}

/** Whether a worker may join. */
export function decideAdmission(applicant: Applicant, { plan, first }: Agreement): Admission {
  const { join, joined, ban, namesake, waited } = applicant;
  const { worker, description } = join;
  if (namesake && !waited) return { kind: 'hold' };
  const otherJob = plan && differenceFrom(plan, join);
  if (otherJob !== undefined) return { kind: 'refuse', why: otherJob };
  if (joined) return refuse(`Worker ${worker} has joined already`, 'Join once.');
  if (ban !== undefined) return { kind: 'refuse', why: ban };
  if (namesake)
    return refuse(
      `A worker called ${worker} is already here`,
      'Give each worker another --name, or none.',
    );
  const difference = first && differenceOf(first.description, description);
  if (first !== undefined && difference !== undefined)
    return refuse(
      `The program of this worker differs from that of ${first.worker}: ${difference}`,
      'Give every worker the same program file and the same data.',
    );
  return { kind: 'admit' };
}

/** The first to join need not be of this job, where the servers know it already. */
function differenceFrom(plan: JobPlan, { worker, description }: Applicant['join']) {
  const { name, hash, data, sharing } = description;
  if (hash !== plan.programHash)
    return new TuttiError(
      'REFUSED',
      `The job trains program ${plan.programName} (${plan.programHash.slice(0, 12)}), this worker has ${name} (its sources have hash ${hash.slice(0, 12)})`,
      { remedy: 'Give every worker the same program file and the same data.' },
    );
  if (sharing !== plan.sharing)
    return new TuttiError(
      'REFUSED',
      `The job trains program ${plan.programName} with another sharing of its weights than worker ${worker || 'without a name'} has`,
      { remedy: 'Give every worker the same files: matrices, masks and pretrained weights.' },
    );
  const difference = dataDifference(plan.data, data);
  if (difference === undefined) return undefined;
  return new TuttiError(
    'REFUSED',
    `The ${difference.set} data of worker ${worker || 'without a name'} are not those of the job: ${difference.what}`,
    { remedy: DATA_REMEDY, details: { worker, ...difference } },
  );
}

function differenceOf(ours: ProgramDescription, theirs: ProgramDescription): string | undefined {
  if (ours.hash !== theirs.hash)
    return `its sources have hash ${theirs.hash.slice(0, 12)}, not ${ours.hash.slice(0, 12)}`;
  for (const key of Object.keys({ ...ours, ...theirs }) as (keyof ProgramDescription)[]) {
    // Compared with the plan, which may be older than anybody here.
    if (key === 'data') continue;
    const [expected, found] = [JSON.stringify(ours[key]), JSON.stringify(theirs[key])];
    if (expected !== found)
      return `${key} is ${found?.slice(0, 200)}, not ${expected?.slice(0, 200)}`;
  }
  return undefined;
}

function refuse(message: string, remedy: string): Admission {
  return { kind: 'refuse', why: new TuttiError('REFUSED', message, { remedy }) };
}
