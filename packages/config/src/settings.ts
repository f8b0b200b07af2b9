import { COMMANDS, type Setting } from './setting.js';

/** Where a coordinator listens and a worker looks for it, if nobody says otherwise: this machine only. */
export const DEFAULT_COORDINATOR = 'tcp://127.0.0.1:29500';

/** Where the page of a run is looked for first. */
export const DASHBOARD_PORT = 29600;

const AS_THE_MACHINE_BEARS = 'one for each core that there is memory for, at most the shards';

/**
 * Every setting of the command line, the environment and the settings file: the schema, the flags,
 * the help text and the error messages all come from here.
 *
 * Those without a default may be given by the program (batch size, seed, ...), or are optional.
 */
export const SETTINGS = {
  epochs: {
    kind: 'integer',
    min: 1,
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Training',
    doc: 'passes over the training set',
    otherwise: "the program's",
  },
  steps: {
    kind: 'integer',
    min: 1,
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Training',
    doc: 'stop after this many steps',
    otherwise: 'all steps of all epochs',
  },
  batchSize: {
    kind: 'integer',
    min: 1,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Training',
    doc: 'examples in one step, over all shards',
    otherwise: "the program's",
  },
  shards: {
    kind: 'integer',
    min: 1,
    max: 65536,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Training',
    doc: 'disjoint parts of the training set; part of the experiment, like the seed',
    otherwise:
      "the program's, else by its batch size: micro-batches of 32 examples, 2 to 16 shards",
  },
  seed: {
    kind: 'integer',
    min: 0,
    max: 4294967295,
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Training',
    doc: 'start of everything random',
    otherwise: "the program's",
  },
  learningRate: {
    kind: 'number',
    above: 0,
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Training',
    doc: "the optimizer's learning rate",
    otherwise: "the program's",
  },
  gradientCompression: {
    kind: 'choice',
    values: ['none', 'bf16', 'fp16', 'int8'],
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Training',
    doc: "what each shard's gradient is rounded to before it is added up, so that less travels; part of the experiment, like the seed",
    otherwise: "the program's, else none",
  },
  workers: {
    kind: 'integer',
    min: 0,
    max: 4096,
    commands: ['train', 'coordinator', 'node', 'compress'],
    group: 'Processes',
    doc: 'worker processes; 0 trains in one process, without a network; node: ranks, where it has no launcher',
    otherwise: {
      train: AS_THE_MACHINE_BEARS,
      compress: AS_THE_MACHINE_BEARS,
      coordinator: '2, at most the shards',
      node: 'what the launcher says',
    },
  },
  minWorkers: {
    kind: 'integer',
    min: 1,
    max: 4096,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Processes',
    doc: 'with fewer workers than these the run waits for more',
    otherwise: 'the number of workers',
  },
  strict: {
    kind: 'boolean',
    default: false,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Processes',
    doc: 'refuse a worker whose arithmetic gives other bits than that of most, not only warn',
  },
  workersPerNode: {
    kind: 'integer',
    min: 1,
    max: 256,
    default: 1,
    commands: ['node', 'launch'],
    group: 'Processes',
    doc: 'workers of each rank',
  },
  drainedExitCode: {
    kind: 'integer',
    min: 0,
    max: 255,
    default: 0,
    commands: ['worker', 'node', 'launch'],
    group: 'Processes',
    doc: 'with what a worker, or a rank other than 0, exits that was told to leave (SIGTERM) and has handed over',
  },
  maxRestarts: {
    kind: 'integer',
    min: 0,
    max: 100_000,
    default: 0,
    commands: ['train'],
    group: 'Processes',
    doc: 'how many workers that died or hung are replaced in the whole run',
  },
  verify: {
    kind: 'share',
    default: 0,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Processes',
    doc: 'the share of steps and evaluations in which everything is computed by two workers and compared; who is wrong is excluded',
  },
  servers: {
    kind: 'integer',
    min: 1,
    max: 256,
    words: ['colocated'],
    commands: ['train', 'coordinator', 'worker', 'node', 'launch', 'compress'],
    group: 'Processes',
    doc: 'parameter servers; colocated: one in the process of each worker, so that all of them add and update. A lost worker takes the run back to its last checkpoint then, unless replicas hold the same. Where coordinator and workers are started by themselves: colocated, for all of them, or what serverAddresses has',
    // As text: convict reads text where the default is a number as a number.
    otherwise: '1',
  },
  replicas: {
    kind: 'integer',
    min: 0,
    max: 8,
    default: 0,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Processes',
    doc: 'standbys of each server; one takes over when its server dies, and whoever comes in its place is given what it has. Where servers make the sums, each of them does; where they are colocated, each part of the weights is in the processes of so many more workers',
  },
  aggregation: {
    kind: 'choice',
    values: ['coordinator', 'server'],
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Processes',
    doc: 'where gradients are added: by the coordinator, or by the server that holds the weights, so that several servers share the work; the bits are the same. server does not go with verify',
    otherwise: 'coordinator; server where servers is colocated and verify is 0',
  },
  threads: {
    kind: 'integer',
    min: 1,
    max: 1024,
    default: 1,
    commands: ['train', 'worker', 'node', 'launch', 'eval', 'replay', 'compress'],
    group: 'Processes',
    doc: 'computing threads of each worker; the bits of a gradient depend on it',
  },
  listen: {
    kind: 'address',
    commands: ['train', 'coordinator', 'server'],
    group: 'Network',
    doc: 'address to listen on; port 0 picks a free one',
    otherwise: {
      coordinator: DEFAULT_COORDINATOR,
      server: 'tcp://127.0.0.1:0',
      train: 'tcp://127.0.0.1:0',
    },
  },
  advertise: {
    kind: 'host',
    commands: ['coordinator', 'worker'],
    group: 'Network',
    doc: 'host name or IP by which others reach this machine; worker: its server, where servers are colocated',
    otherwise: 'the host of --listen, or the host name where that is *',
  },
  serverAddresses: {
    kind: 'addresses',
    commands: ['coordinator', 'node', 'launch'],
    group: 'Network',
    doc: 'where the parameter servers listen, separated by commas',
    otherwise: 'the coordinator hosts one itself',
  },
  keyFile: {
    kind: 'text',
    commands: ['train', 'coordinator', 'server', 'worker', 'node', 'launch', 'status', 'dashboard'],
    group: 'Network',
    doc: 'file with the key of the job, made by tutti keys: all traffic is encrypted, and whoever has another key or none is refused',
    otherwise: 'no key: only this machine can connect',
  },
  insecure: {
    kind: 'boolean',
    default: false,
    commands: ['train', 'coordinator', 'server', 'worker', 'node', 'launch'],
    group: 'Network',
    doc: 'listen without a key also where other machines can connect: whoever does can take part',
  },
  network: {
    kind: 'network',
    commands: ['train', 'coordinator', 'server', 'worker', 'node', 'launch'],
    group: 'Network',
    doc: 'have every process send and get messages as slowly as on such a network, to see what one would cost: rate=1gbit,delay=5ms',
    otherwise: 'as fast as it goes',
  },
  coordinator: {
    kind: 'address',
    default: DEFAULT_COORDINATOR,
    commands: ['worker', 'node', 'launch', 'status', 'dashboard'],
    group: 'Network',
    doc: 'address of the coordinator',
  },
  hosts: {
    kind: 'text',
    commands: ['launch'],
    group: 'Network',
    doc: 'the hosts to start ranks on, and how many on each if not 1: n1,n2:4 or n[1-4]:2; rank 0 is on the first',
    otherwise: 'those of the hostfile',
  },
  hostfile: {
    kind: 'text',
    commands: ['launch'],
    group: 'Files',
    doc: 'file with the hosts to start ranks on, one a line: n1, n2:4 or "n2 slots=4"',
    otherwise: 'none',
  },
  ssh: {
    kind: 'text',
    default: 'ssh',
    commands: ['launch'],
    group: 'Network',
    doc: 'the OpenSSH client, with options that it is to have: "ssh -p 2222 -i key"',
  },
  remoteTutti: {
    kind: 'text',
    commands: ['launch'],
    group: 'Network',
    doc: 'the command that is tutti on the hosts',
    otherwise: 'this Node.js and this tutti, at the same places there',
  },
  name: {
    kind: 'text',
    commands: ['worker'],
    group: 'Network',
    doc: 'how this worker is called in logs and errors',
    otherwise: 'w and its rank, else the coordinator names it',
  },
  rank: {
    kind: 'integer',
    min: 0,
    max: 4095,
    commands: ['worker', 'node'],
    group: 'Network',
    doc: 'number of this worker, from 0; node: of this rank, where it has no launcher',
  },
  joinDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 120_000,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'longest wait for workers to join',
  },
  stepDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 120_000,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'longest wait for a step, or an evaluation, to be complete',
  },
  progressDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 15_000,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'others take over from a worker that owes a result and is silent for so long and for ten times what others take; four times as long for what nobody has managed yet',
  },
  heartbeatMs: {
    kind: 'integer',
    min: 1,
    // Less than the longest silence.
    max: 6_553_499,
    default: 500,
    commands: ['train', 'coordinator', 'server', 'worker', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'pause between signs of life, which processes send also while they compute',
  },
  heartbeatDeadlineMs: {
    kind: 'integer',
    min: 1,
    // A peer is told in tenths of a second, in 16 bits.
    max: 6_553_500,
    default: 2_000,
    commands: ['train', 'coordinator', 'server', 'worker', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'a process, machine or network without a sign of life for so long counts as gone',
  },
  serverDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 30_000,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'longest wait for an answer of the parameter servers',
  },
  connectDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 120_000,
    commands: ['worker', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'how long a worker that is started before its coordinator looks for it',
  },
  coordinatorDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 600_000,
    commands: ['worker', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'how long the coordinator may be silent before the worker gives up',
  },
  returnDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 120_000,
    commands: ['server', 'worker', 'node', 'launch'],
    group: 'Deadlines',
    doc: 'how long a server keeps its job, and a worker looks, for a coordinator that is gone',
  },
  answerDeadlineMs: {
    kind: 'integer',
    min: 1,
    default: 5000,
    commands: ['status', 'dashboard'],
    group: 'Deadlines',
    doc: 'how long the coordinator may take to answer',
  },
  checkpointDir: {
    kind: 'text',
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Files',
    doc: 'folder for the checkpoints and the trained model of this run',
    otherwise: 'a new one for each run, in tutti-runs/ and the name of the program',
  },
  checkpointEvery: {
    kind: 'interval',
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Files',
    doc: 'how often to write a checkpoint during the training',
    otherwise: 'only at the end',
  },
  checkpointKeep: {
    kind: 'integer',
    min: 1,
    default: 3,
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Files',
    doc: 'how many of the newest checkpoints of a run stay; the best one stays besides',
  },
  checkpointBest: {
    kind: 'text',
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Files',
    doc: 'loss, or a metric: whenever the evaluation is better by it, a checkpoint is written; of a loss or an error less is better, of other metrics more',
    otherwise: 'none is written for it; of those there are, the one of least loss stays',
  },
  resume: {
    kind: 'text',
    commands: ['train', 'coordinator', 'node', 'launch'],
    group: 'Files',
    doc: 'go on from a checkpoint: latest (of the run that wrote last; from the start if none was written yet), or a path',
    otherwise: 'start from the beginning',
  },
  from: {
    kind: 'text',
    commands: ['train', 'coordinator', 'node', 'launch', 'compress'],
    group: 'Files',
    doc: 'begin a new run with the weights of an earlier one: latest (of the run of this program that wrote last), or the path of a checkpoint or of a safetensors file',
    otherwise: "begin with the program's initial values; compress: latest",
  },
  checkpoint: {
    kind: 'text',
    commands: ['eval', 'replay', 'export'],
    group: 'Files',
    doc: 'checkpoint to read, or a folder of them, or of runs: then the latest',
    otherwise: 'the latest in tutti-runs/ and the name of the program',
  },
  output: {
    kind: 'text',
    commands: ['export', 'compress'],
    group: 'Files',
    doc: 'folder to write to; compress: the file',
    otherwise: { export: 'export/ inside the checkpoint folder', compress: 'model.tutti' },
  },
  format: {
    kind: 'choice',
    values: ['tfjs', 'graph', 'keras', 'safetensors', 'tutti'],
    default: 'tfjs',
    commands: ['export'],
    group: 'Files',
    doc: 'files to write: tf.LayersModel, tf.GraphModel, a .keras file for Keras 3, safetensors, or a .tutti file for @tutti/edge; the last two have of most shared weights what is stored',
  },
  quantize: {
    kind: 'choice',
    values: ['float16', 'int8', 'int4'],
    commands: ['export'],
    group: 'Files',
    doc: 'how --format tutti rounds kernels and tables; biases become float16',
    otherwise: 'every bit is kept',
  },
  plot: {
    kind: 'text',
    commands: ['inspect'],
    group: 'Files',
    doc: 'file for a picture (SVG) of which stored value each weight reads',
    otherwise: 'no picture',
  },
  verbose: {
    kind: 'boolean',
    default: false,
    commands: ['train'],
    group: 'Output',
    doc: 'tell first what the weights are made of, as tutti inspect does',
  },
  keep: {
    kind: 'text',
    commands: ['compress'],
    group: 'Compression',
    doc: 'the share of each weight that stays, by layer or weight: dense_1=0.04,conv2d_2=0.25; others stay whole',
    otherwise:
      'halved in every round, as long as minAccuracy holds and the file has more than maxBytes',
  },
  rounds: {
    kind: 'integer',
    min: 1,
    max: 100,
    default: 3,
    commands: ['compress'],
    group: 'Compression',
    doc: 'runs in which weights are pruned, more each time; each trains for the epochs',
  },
  values: {
    kind: 'integer',
    min: 1,
    max: 4096,
    default: 16,
    commands: ['compress'],
    group: 'Compression',
    doc: 'values of the codebook of each weight',
  },
  maxBytes: {
    kind: 'integer',
    min: 1,
    commands: ['compress'],
    group: 'Compression',
    doc: 'the most bytes of the file; it exits with 1 if there are more',
    otherwise: 'any number',
  },
  minAccuracy: {
    kind: 'share',
    commands: ['compress'],
    group: 'Compression',
    doc: 'the least accuracy of the file on the evaluation set; it exits with 1 if it is less',
    otherwise: 'any accuracy; where keep is not given, a hundredth below that of the checkpoint',
  },
  dashboard: {
    kind: 'port',
    commands: ['train', 'coordinator'],
    group: 'Output',
    doc: `serve a page on this machine that follows the run, and its Prometheus metrics at /metrics; without a port ${DASHBOARD_PORT}, or a free one if that is taken`,
    otherwise: 'no page',
  },
  tensorboard: {
    kind: 'text',
    commands: ['train', 'coordinator'],
    group: 'Output',
    doc: 'folder for event files of TensorBoard: the numbers of each step, and the hyperparameters',
    otherwise: 'none',
  },
  mlflow: {
    kind: 'text',
    commands: ['train', 'coordinator'],
    group: 'Output',
    doc: 'address of an MLflow tracking server that is told of the run, such as http://127.0.0.1:5000',
    otherwise: 'none',
  },
  timeline: {
    kind: 'text',
    commands: ['train', 'coordinator', 'server', 'worker'],
    group: 'Output',
    doc: 'file for how long each process takes for each station of a step; ui.perfetto.dev and chrome://tracing show it',
    otherwise: 'none',
  },
  watch: {
    kind: 'boolean',
    default: false,
    commands: ['status'],
    group: 'Output',
    doc: 'ask again every second, until the job is over',
  },
  json: {
    kind: 'boolean',
    default: false,
    commands: COMMANDS,
    group: 'Output',
    doc: 'one JSON object a line on stdout, nothing else',
  },
  logLevel: {
    kind: 'choice',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'warn',
    commands: COMMANDS,
    group: 'Output',
    doc: 'least important log lines to write to stderr',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S extends Setting> = S extends { kind: 'integer'; words: readonly (infer W)[] }
  ? number | W
  : S extends { kind: 'integer' | 'number' | 'share' }
    ? number
    : S extends { kind: 'boolean' }
      ? boolean
      : S extends { kind: 'choice'; values: readonly (infer V)[] }
        ? V
        : S extends { kind: 'port' }
          ? number | boolean
          : S extends { kind: 'addresses' }
            ? readonly string[]
            : string;

type WithDefault = {
  [N in SettingName]: (typeof SETTINGS)[N] extends { default: unknown } ? N : never;
}[SettingName];

/** The values of all settings; those without a default may be missing. */
export type Settings = {
  readonly [N in WithDefault]: ValueOf<(typeof SETTINGS)[N]>;
} & { readonly [N in Exclude<SettingName, WithDefault>]?: ValueOf<(typeof SETTINGS)[N]> };

/** All settings, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** The table entry, as any setting. */
export function settingOf(name: SettingName): Setting {
  return SETTINGS[name];
}
