import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as lasting } from 'node:timers/promises';
import { promisify } from 'node:util';
import { keepAccount, lastLinesOf } from '../processes/accounts.js';
import type { Hosts } from '../processes/hosts.js';
import { endAllOf } from './end-all.js';
import { placeOf } from './needs.js';

const run = promisify(execFile);

/** The host of the controller, and those that compute. */
export const CONTROLLER = 'ctl';
export const NODES = ['n1', 'n2'] as const;

/** How long what allows a job to start is believed. */
export const CREDENTIALS_S = 5;

/** A Slurm of two nodes, with daemons and a configuration of its own. */
export interface Slurm {
  /** The command that runs what follows it where jobs are submitted. */
  readonly via: readonly string[];
  /** Runs a command there and returns what it writes. */
  call(...command: readonly string[]): Promise<string>;
  end(): Promise<void>;
}

const configuration = (hosts: Hosts, folder: string) =>
  [
    'ClusterName=tutti',
    `SlurmctldHost=${CONTROLLER}(${hosts.addressOf(CONTROLLER)})`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${folder}/munge.socket,cred_expire=${CREDENTIALS_S}`,
    'CredType=cred/munge',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'ReturnToService=2',
    'SlurmctldPort=26817',
    `SlurmctldPidFile=${folder}/slurmctld.pid`,
    `SlurmdPidFile=${folder}/slurmd-%n.pid`,
    `SlurmdSpoolDir=${folder}/spool-%n`,
    `StateSaveLocation=${folder}/state`,
    'SchedulerType=sched/builtin',
    // Seconds until it looks at what may start now.
    'SchedulerParameters=sched_interval=5',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    'SlurmctldTimeout=10',
    'SlurmdTimeout=10',
    'KillWait=10',
    'JobRequeue=1',
    // What it says of the machine is not what it has.
    'SlurmdParameters=config_overrides',
    ...NODES.map(
      (node) =>
        `NodeName=${node} NodeHostname=${node} NodeAddr=${hosts.addressOf(node)} Port=26820 CPUs=4 State=UNKNOWN`,
    ),
    `PartitionName=main Nodes=${NODES.join(',')} Default=YES MaxTime=INFINITE State=UP`,
  ].join('\n');

export async function startSlurm(hosts: Hosts, folder: string): Promise<Slurm> {
  await mkdir(join(folder, 'state'), { recursive: true });
  // Its socket is for whoever has a job.
  await chmod(folder, 0o755);
  const key = join(folder, 'munge.key');
  await writeFile(key, randomBytes(128), { mode: 0o600 });
  const conf = join(folder, 'slurm.conf');
  await writeFile(conf, configuration(hosts, folder));
  const variables = { ...process.env, SLURM_CONF: conf };

  const daemon = (name: string, via: readonly string[], args: readonly string[]) => {
    const [file, ...rest] = [...via, placeOf(name)!, ...args];
    const child = spawn(file!, rest, { stdio: ['ignore', 'ignore', 'pipe'], env: variables });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    keepAccount(`${name} ${args.at(-1)}`, () => lastLinesOf(said));
  };
  const of = (name: string) => join(folder, `munge.${name}`);
  const files = [`--key-file=${key}`, `--socket=${of('socket')}`, `--pid-file=${of('pid')}`];
  const more = [`--log-file=${of('log')}`, `--seed-file=${of('seed')}`];
  daemon('munged', hosts.via(CONTROLLER), ['--foreground', '--force', ...files, ...more]);

  /** On a host, under its name. */
  const called = (host: string) => [
    ...hosts.via(host),
    ...['unshare', '--uts', 'sh', '-c', `hostname ${host} && exec "$@"`, 'sh'],
  ];
  daemon('slurmctld', called(CONTROLLER), ['-D', '-f', conf]);
  for (const node of NODES) daemon('slurmd', called(node), ['-D', '-f', conf]);
  const via = [...called(CONTROLLER), 'env', `SLURM_CONF=${conf}`];
  const call = async (...command: readonly string[]) => {
    const [file, ...args] = [...via, ...command];
    return (await run(file!, args)).stdout.trim();
  };
  await until(async () => {
    const states = await call('sinfo', '--noheader', '--Node', '--format=%T').catch(() => '');
    return states.split('\n').filter((state) => state === 'idle').length === NODES.length;
  });
  return { via, call, end: () => endAllOf(hosts, [CONTROLLER, ...NODES]) };
}

/** Looks again and again: its daemons tell nobody when they are ready. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await lasting(100);
}
