import { TuttiError } from '@tutti/runtime';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a coordinator listens if nobody says otherwise; its server has the port beside. */
const DEFAULT_PORT = 29_500;

/** @throws TuttiError BAD_CONFIG if the launcher has not set it */
export function textOf(environment: Environment, name: string, launcher: string): string {
  const text = environment[name];
  if (text !== undefined && text !== '') return text;
  throw new TuttiError('BAD_CONFIG', `${launcher} has started this process without ${name}.`, {
    remedy: `Set ${name}, or TUTTI_RANK, TUTTI_WORKERS and TUTTI_COORDINATOR instead.`,
    details: { launcher, variable: name },
  });
}

/** @throws TuttiError BAD_CONFIG for anything but a whole number */
export function numberOf(environment: Environment, name: string, launcher: string): number {
  const text = textOf(environment, name, launcher);
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new TuttiError('BAD_CONFIG', `${name} (of ${launcher}) is ${text}, no whole number.`, {
    remedy: `Correct ${name}, or set TUTTI_RANK, TUTTI_WORKERS and TUTTI_COORDINATOR instead.`,
    details: { launcher, variable: name, value: text },
  });
}

/** Host and port of `tcp://host:port`, or of `host:port`. */
export function addressOf(environment: Environment, name: string, launcher: string) {
  const text = textOf(environment, name, launcher);
  const match = /^(?:tcp:\/\/)?(\S+):(\d{1,5})$/.exec(text);
  if (match !== null) return { host: match[1]!, port: Number(match[2]) };
  throw new TuttiError('BAD_CONFIG', `${name} is ${text}, no address such as tcp://n1:29500.`, {
    remedy: `Correct ${name}.`,
    details: { variable: name, value: text },
  });
}

/**
 * The port that a name stands for, else one of this job's own: jobs of Slurm may share a node, and so
 * may the tasks of a job array, each of which has a job id.
 */
export function portOf(environment: Environment, name: string, launcher: string): number {
  const text = environment[name];
  // A Kubernetes service called "master" sets MASTER_PORT to an address.
  if (text === undefined || text.includes('://')) return portOfJob(environment);
  return numberOf(environment, name, launcher);
}

/** Even ones, since the server has the next; below those that systems give to whoever asks for none. */
const [FIRST_PORT, PORT_PAIRS] = [20_000, 6_000];

/** Steps of one job may run side by side, and jobs have ids that follow one another. */
export function portOfJob({ SLURM_JOB_ID: job, SLURM_STEP_ID: step }: Environment): number {
  if (job === undefined || !/^\d+$/.test(job)) return DEFAULT_PORT;
  const place = Number(job) + 1009 * (Number(step) || 0);
  return FIRST_PORT + 2 * (place % PORT_PAIRS);
}
