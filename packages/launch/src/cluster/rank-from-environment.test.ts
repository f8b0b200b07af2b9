import assert from 'node:assert/strict';
import type { TuttiError } from '@tutti/runtime';
import { rankFromEnvironment, rankText } from './rank-from-environment.js';
import type { Environment } from './variables.js';

/** `srun --nodes=2 --ntasks=3`, what Slurm 22.05 sets of it. */
const SRUN = {
  SLURM_JOB_ID: '17',
  SLURM_JOB_NODELIST: 'n[1-2]',
  SLURM_STEP_ID: '0',
  SLURM_STEP_NODELIST: 'n[1-2]',
  SLURM_STEP_NUM_TASKS: '3',
  SLURM_NTASKS: '3',
  SLURM_NPROCS: '3',
  SLURM_PROCID: '1',
  SLURM_LOCALID: '1',
  SLURM_NODEID: '0',
  SLURM_LAUNCH_NODE_IPADDR: '10.99.0.10',
  SLURMD_NODENAME: 'n1',
};

/** `torchrun --no-python --nnodes 2`, of PyTorch 2. */
const TORCHRUN = {
  RANK: '1',
  LOCAL_RANK: '0',
  GROUP_RANK: '1',
  WORLD_SIZE: '2',
  LOCAL_WORLD_SIZE: '1',
  MASTER_ADDR: 'head',
  MASTER_PORT: '29400',
  TORCHELASTIC_RUN_ID: 'none',
  TORCHELASTIC_RESTART_COUNT: '0',
  TORCHELASTIC_USE_AGENT_STORE: 'True',
};

/** `mpirun -n 3` of Open MPI 4.1, all on one host. */
const OPEN_MPI = {
  OMPI_COMM_WORLD_RANK: '2',
  OMPI_COMM_WORLD_SIZE: '3',
  OMPI_COMM_WORLD_LOCAL_RANK: '2',
  OMPI_COMM_WORLD_LOCAL_SIZE: '3',
  OMPI_UNIVERSE_SIZE: '4',
  PMIX_RANK: '2',
};

const PET = {
  PET_NNODES: '3',
  PET_NPROC_PER_NODE: '1',
  PET_NODE_RANK: '2',
  PET_MASTER_ADDR: 'job-node-0-0.job',
  PET_MASTER_PORT: '29400',
};

const SKYPILOT = {
  SKYPILOT_NODE_RANK: '1',
  SKYPILOT_NUM_NODES: '2',
  SKYPILOT_NODE_IPS: '10.0.0.5\n10.0.0.6',
};
const DSTACK = {
  DSTACK_NODE_RANK: '1',
  DSTACK_NODES_NUM: '2',
  DSTACK_MASTER_NODE_IP: '10.0.0.5',
};
const VOLCANO = {
  VC_TASK_INDEX: '1',
  VK_TASK_INDEX: '1',
  VC_RANK_HOSTS: 'job-rank-0.job,job-rank-1.job',
  VC_RANK_NUM: '2',
};
const OWN = { TUTTI_RANK: '0', TUTTI_WORKERS: '2', TUTTI_COORDINATOR: 'tcp://n1:29500' };

const said = (environment: Environment) => rankText(rankFromEnvironment(environment));

describe('the rank of a process', () => {
  const cases: readonly [what: string, environment: Environment, expected: string][] = [
    ['its own words', OWN, 'rank 0 of 2 by TUTTI_RANK, coordinator n1:29500'],
    ['torchrun', TORCHRUN, 'rank 1 of 2 by torchrun, coordinator head:29401'],
    [
      'torchrun that leaves its port to rank 0',
      { ...TORCHRUN, TORCHELASTIC_USE_AGENT_STORE: 'False' },
      'rank 1 of 2 by torchrun, coordinator head:29400',
    ],
    [
      'the Kubeflow Trainer',
      PET,
      'rank 2 of 3 by Kubeflow Trainer, coordinator job-node-0-0.job:29400',
    ],
    ['srun', SRUN, 'rank 1 of 3 by srun, coordinator n1:20034'],
    [
      'a second step of that job',
      { ...SRUN, SLURM_STEP_ID: '1', SLURM_STEP_NODELIST: 'a[003,007]' },
      'rank 1 of 3 by srun, coordinator a003:22052',
    ],
    ['mpirun on one host', OPEN_MPI, 'rank 2 of 3 by mpirun, coordinator 127.0.0.1:29500'],
    [
      'mpirun on several',
      { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE: '1', MASTER_ADDR: 'n1', MASTER_PORT: '7000' },
      'rank 2 of 3 by mpirun, coordinator n1:7000',
    ],
    [
      'mpirun within a job of Slurm, whose daemons are steps',
      { ...SRUN, ...OPEN_MPI, SLURM_NTASKS: '1', SLURM_PROCID: '0' },
      'rank 2 of 3 by mpirun, coordinator 127.0.0.1:20034',
    ],
    [
      'mpirun of MPICH',
      { PMI_RANK: '0', PMI_SIZE: '2', MPI_LOCALNRANKS: '2' },
      'rank 0 of 2 by mpirun, coordinator 127.0.0.1:29500',
    ],
    [
      'srun --mpi=pmi2',
      { ...SRUN, PMI_RANK: '1', PMI_SIZE: '3' },
      'rank 1 of 3 by srun, coordinator n1:20034',
    ],
    ['SkyPilot', SKYPILOT, 'rank 1 of 2 by SkyPilot, coordinator 10.0.0.5:29500'],
    ['dstack', DSTACK, 'rank 1 of 2 by dstack, coordinator 10.0.0.5:29500'],
    ['Volcano', VOLCANO, 'rank 1 of 2 by Volcano, coordinator job-rank-0.job:29500'],
    [
      'its own words before all others',
      { ...SRUN, ...TORCHRUN, ...OWN },
      'rank 0 of 2 by TUTTI_RANK, coordinator n1:29500',
    ],
    [
      'torchrun that srun has started',
      { ...SRUN, ...TORCHRUN },
      'rank 1 of 2 by torchrun, coordinator head:29401',
    ],
    [
      'what is left over of torchrun in a shell',
      { ...SRUN, RANK: '5' },
      'rank 1 of 3 by srun, coordinator n1:20034',
    ],
    [
      'a coordinator that was put elsewhere',
      { ...SRUN, TUTTI_COORDINATOR: 'n1-ib:5000' },
      'rank 1 of 3 by srun, coordinator n1-ib:5000',
    ],
    [
      'a host of IPv6',
      { ...TORCHRUN, MASTER_ADDR: 'fd00::5' },
      'rank 1 of 2 by torchrun, coordinator [fd00::5]:29401',
    ],
    [
      'a Kubernetes service called "master"',
      { ...OPEN_MPI, MASTER_PORT: 'tcp://10.0.0.9:80' },
      'rank 2 of 3 by mpirun, coordinator 127.0.0.1:29500',
    ],
  ];
  for (const [what, environment, expected] of cases)
    it(`is told by ${what}`, () => assert.equal(said(environment), expected));

  it('has an array besides where it is in a job array, each task with a port of its own', () => {
    const task = (id: string, job: string) =>
      rankFromEnvironment({
        ...SRUN,
        SLURM_JOB_ID: job,
        SLURM_ARRAY_JOB_ID: '17',
        SLURM_ARRAY_TASK_ID: id,
      });
    assert.deepEqual(task('3', '18').array, { job: '17', task: '3' });
    const ports = Array.from({ length: 1000 }, (_, at) => task(`${at}`, `${17 + at}`).port);
    // Each has two of its own.
    assert.equal(new Set(ports.flatMap((port) => [port, port + 1])).size, 2000);
    assert.equal(rankFromEnvironment(SRUN).array, undefined);
  });

  const batch = { SLURM_JOB_ID: '17', SLURM_PROCID: '0', SLURM_NTASKS: '3', SLURM_NODEID: '0' };
  const refusals: readonly [what: string, environment: Environment, why: RegExp, remedy: RegExp][] =
    [
      ['nobody', {}, /no launcher/, /tutti launch[\s\S]*tutti train/],
      ['a batch script without srun', batch, /batch script of Slurm job 17/, /srun tutti node/],
      [
        'a shell in which RANK is left over',
        { RANK: '0', WORLD_SIZE: '2' },
        /no launcher/,
        /TUTTI_RANK/,
      ],
      [
        'mpirun on several hosts without the first',
        { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE: '1' },
        /LOCAL_SIZE is 1, OMPI_COMM_WORLD_SIZE 3/,
        /mpirun -x MASTER_ADDR/,
      ],
      ['its own words in part', { TUTTI_RANK: '0' }, /without TUTTI_WORKERS/, /TUTTI_WORKERS/],
      [
        'a rank that is no number',
        { ...OWN, TUTTI_RANK: 'one' },
        /TUTTI_RANK .* is one/,
        /TUTTI_RANK/,
      ],
      ['a rank that is too large', { ...OWN, TUTTI_RANK: '2' }, /rank 2 of 2/, /TUTTI_WORKERS/],
      ['no address', { ...OWN, TUTTI_COORDINATOR: 'n1' }, /is n1, no address/, /TUTTI_COORDINATOR/],
      [
        'a port without a next one',
        { ...OWN, TUTTI_COORDINATOR: 'n1:65535' },
        /port 65535/,
        /TUTTI_/,
      ],
      [
        'a Volcano job of two tasks',
        { ...VOLCANO, VC_OTHER_HOSTS: 'x' },
        /VC_RANK_HOSTS, VC_OTHER_HOSTS/,
        /one task/,
      ],
    ];
  for (const [what, environment, why, remedy] of refusals)
    it(`is not told by ${what}`, () =>
      assert.throws(
        () => rankFromEnvironment(environment),
        (error: TuttiError) => {
          assert.equal(error.code, 'BAD_CONFIG');
          assert.match(error.message, why);
          assert.match(error.remedy, remedy);
          return true;
        },
      ));
});
