import { TuttiError } from '@tutti/runtime';
import { hostsOf } from './host-list.js';
import { addressOf, type Environment, numberOf, portOf, portOfJob, textOf } from './variables.js';

/** What a launcher says of a process that it has started, and of where rank 0 can be reached. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  readonly port: number;
}

export interface Launcher {
  readonly name: string;
  /** Whether it has started this process as one of several. */
  readonly applies: (environment: Environment) => boolean;
  /** @throws TuttiError BAD_CONFIG, which names the variable that is missing or wrong */
  readonly place: (environment: Environment) => Place;
}

const LOOPBACK = '127.0.0.1';

/** Whoever has no launcher, or one that is not known here, says it in words of ours. */
const own: Launcher = {
  name: 'TUTTI_RANK',
  applies: ({ TUTTI_RANK }) => TUTTI_RANK !== undefined,
  place: (env) => ({
    rank: numberOf(env, 'TUTTI_RANK', own.name),
    size: numberOf(env, 'TUTTI_WORKERS', own.name),
    ...addressOf(env, 'TUTTI_COORDINATOR', own.name),
  }),
};

/**
 * torchrun --no-python, and the PyTorchJob of Kubeflow. At torchrun's own port its agents meet
 * (https://pytorch.org/docs/stable/elastic/run.html, "Environment Variables").
 */
const torchrun: Launcher = {
  name: 'torchrun',
  applies: ({ RANK, WORLD_SIZE, MASTER_ADDR }) =>
    RANK !== undefined && WORLD_SIZE !== undefined && MASTER_ADDR !== undefined,
  place(env) {
    const isTaken = /^(?:true|1)$/i.test(env.TORCHELASTIC_USE_AGENT_STORE ?? '');
    return {
      rank: numberOf(env, 'RANK', torchrun.name),
      size: numberOf(env, 'WORLD_SIZE', torchrun.name),
      host: textOf(env, 'MASTER_ADDR', torchrun.name),
      port: portOf(env, 'MASTER_PORT', torchrun.name) + (isTaken ? 1 : 0),
    };
  },
};

/** The Kubeflow Trainer tells torchrun by these, and so it does whoever takes its place. */
const kubeflow: Launcher = {
  name: 'Kubeflow Trainer',
  applies: ({ PET_NODE_RANK, PET_NNODES }) =>
    PET_NODE_RANK !== undefined && PET_NNODES !== undefined,
  place: (env) => ({
    rank: numberOf(env, 'PET_NODE_RANK', kubeflow.name),
    size: numberOf(env, 'PET_NNODES', kubeflow.name),
    host: textOf(env, 'PET_MASTER_ADDR', kubeflow.name),
    port: portOf(env, 'PET_MASTER_PORT', kubeflow.name),
  }),
};

/**
 * mpirun of Open MPI, or of MPICH and Intel MPI. Before srun, which starts the daemons of some of them:
 * then its variables say where the daemon is.
 */
const mpirun: Launcher = {
  name: 'mpirun',
  applies: (env) =>
    env.OMPI_COMM_WORLD_RANK !== undefined ||
    (env.PMI_RANK !== undefined && !(isStep(env) && env.PMI_SIZE === env.SLURM_NTASKS)),
  place(env) {
    const [rank, size, local] =
      env.OMPI_COMM_WORLD_RANK === undefined
        ? ['PMI_RANK', 'PMI_SIZE', 'MPI_LOCALNRANKS']
        : ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_SIZE'];
    const host = env.MASTER_ADDR ?? (env[local] === env[size] ? LOOPBACK : undefined);
    if (host === undefined)
      throw new TuttiError(
        'BAD_CONFIG',
        `mpirun runs on several hosts (${local} is ${env[local] ?? 'not set'}, ${size} ${env[size]}), and does not say which is the first.`,
        { remedy: 'Say it: MASTER_ADDR=n1 mpirun -x MASTER_ADDR ... tutti node ...' },
      );
    return {
      rank: numberOf(env, rank, mpirun.name),
      size: numberOf(env, size, mpirun.name),
      host,
      port: portOf(env, 'MASTER_PORT', mpirun.name),
    };
  },
};

/** A batch script has most of its variables too, and is no rank. */
const isStep = ({ SLURM_STEP_ID, SLURM_PROCID }: Environment) =>
  SLURM_STEP_ID !== undefined && SLURM_PROCID !== undefined;

/** https://slurm.schedmd.com/srun.html, "OUTPUT ENVIRONMENT VARIABLES". */
const srun: Launcher = {
  name: 'srun',
  applies: isStep,
  place: (env) => ({
    rank: numberOf(env, 'SLURM_PROCID', srun.name),
    size: numberOf(env, 'SLURM_NTASKS', srun.name),
    host: hostsOf(textOf(env, 'SLURM_STEP_NODELIST', srun.name))[0]!,
    port: portOfJob(env),
  }),
};

/** https://docs.skypilot.co/en/latest/running-jobs/environment-variables.html */
const skypilot: Launcher = {
  name: 'SkyPilot',
  applies: ({ SKYPILOT_NODE_RANK, SKYPILOT_NODE_IPS }) =>
    SKYPILOT_NODE_RANK !== undefined && SKYPILOT_NODE_IPS !== undefined,
  place(env) {
    const hosts = textOf(env, 'SKYPILOT_NODE_IPS', skypilot.name).trim().split(/\s+/);
    return {
      rank: numberOf(env, 'SKYPILOT_NODE_RANK', skypilot.name),
      size: hosts.length,
      host: hosts[0]!,
      port: portOfJob(env),
    };
  },
};

/** https://dstack.ai/docs/reference/environment-variables */
const dstack: Launcher = {
  name: 'dstack',
  applies: ({ DSTACK_NODE_RANK, DSTACK_NODES_NUM }) =>
    DSTACK_NODE_RANK !== undefined && DSTACK_NODES_NUM !== undefined,
  place: (env) => ({
    rank: numberOf(env, 'DSTACK_NODE_RANK', dstack.name),
    size: numberOf(env, 'DSTACK_NODES_NUM', dstack.name),
    host: textOf(env, 'DSTACK_MASTER_NODE_IP', dstack.name),
    port: portOfJob(env),
  }),
};

/** The plugins "svc" and "env" of a Volcano job: https://volcano.sh/en/docs/job_plugins */
const volcano: Launcher = {
  name: 'Volcano',
  applies: (env) => env.VC_TASK_INDEX !== undefined && hostsOfTasks(env).length > 0,
  place(env) {
    const [name, ...others] = hostsOfTasks(env);
    if (others.length > 0)
      throw new TuttiError(
        'BAD_CONFIG',
        `The Volcano job has several tasks (${[name, ...others].join(', ')}), and VC_TASK_INDEX counts within one.`,
        { remedy: 'Give the job one task with as many replicas as there are ranks.' },
      );
    const hosts = textOf(env, name!, volcano.name).split(',');
    return {
      rank: numberOf(env, 'VC_TASK_INDEX', volcano.name),
      size: hosts.length,
      host: hosts[0]!,
      port: portOfJob(env),
    };
  },
};

const hostsOfTasks = (env: Environment) =>
  Object.keys(env).filter((name) => /^VC_.+_HOSTS$/.test(name));

/** The first that applies counts. */
export const LAUNCHERS: readonly Launcher[] = [
  own,
  torchrun,
  kubeflow,
  mpirun,
  srun,
  skypilot,
  dstack,
  volcano,
];
