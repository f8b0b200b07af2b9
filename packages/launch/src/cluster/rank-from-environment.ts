import { TuttiError } from '@tutti/runtime';
import { LAUNCHERS, type Place } from './launchers.js';
import { addressOf, type Environment } from './variables.js';

/** Which of the processes of a job this one is, and where it meets the others. */
export interface Rank extends Place {
  /** How whoever said so is called. */
  readonly launcher: string;
  /** For a Slurm job array: the id of the array and of this task, each of which is a job of its own. */
  readonly array?: { readonly job: string; readonly task: string };
}

/**
 * What the environment says of the rank of this process, by the first launcher whose variables are
 * there. TUTTI_COORDINATOR goes before where a launcher says that rank 0 is.
 * @returns a host that is fit for an address: IPv6 in brackets
 * @throws TuttiError BAD_CONFIG if nobody has started it as a rank, or something said is impossible
 */
export function rankFromEnvironment(environment: Environment): Rank {
  const launcher = LAUNCHERS.find(({ applies }) => applies(environment));
  if (launcher === undefined) throw nobody(environment);
  const { name } = launcher;
  const place = {
    ...launcher.place(environment),
    ...(environment.TUTTI_COORDINATOR !== undefined &&
      addressOf(environment, 'TUTTI_COORDINATOR', name)),
  };
  const { rank, size, port } = place;
  if (rank >= size)
    throw impossible(name, `rank ${rank} of ${size}`, 'ranks count from 0', { rank, size });
  // The server has the next one.
  if (port < 1 || port > 65_534)
    throw impossible(name, `port ${port}`, 'it must be from 1 to 65534', { port });
  const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: task } = environment;
  return {
    ...place,
    host: bracketed(place.host),
    launcher: name,
    ...(job !== undefined && task !== undefined && { array: { job, task } }),
  };
}

/** `rank 1 of 3 by srun, coordinator n1:27002` */
export const rankText = ({ rank, size, launcher, host, port }: Rank): string =>
  `rank ${rank} of ${size} by ${launcher}, coordinator ${host}:${port}`;

const bracketed = (host: string) =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;

function nobody({ SLURM_JOB_ID }: Environment): TuttiError {
  const inBatch = SLURM_JOB_ID !== undefined;
  return new TuttiError(
    'BAD_CONFIG',
    inBatch
      ? `This is the batch script of Slurm job ${SLURM_JOB_ID}, not one of its ranks.`
      : 'Nothing says which rank this process has: no launcher that is known here has started it.',
    {
      remedy: inBatch
        ? 'Put srun before it: srun tutti node program.ts'
        : 'Start it by srun, mpirun, torchrun --no-python or `tutti launch`; or set TUTTI_RANK, TUTTI_WORKERS and TUTTI_COORDINATOR. On one machine: `tutti train`.',
    },
  );
}

function impossible(
  launcher: string,
  what: string,
  why: string,
  details: Record<string, unknown>,
): TuttiError {
  return new TuttiError('BAD_CONFIG', `${launcher} says ${what}, but ${why}.`, {
    remedy: 'Correct the variables of the launcher, or set TUTTI_RANK and TUTTI_WORKERS.',
    details: { launcher, ...details },
  });
}
