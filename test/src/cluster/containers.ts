import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, command, MAIN } from '../processes/command.js';
import type { Hosts } from '../processes/hosts.js';

/** A user that nobody is, as clusters run what they do not know. */
export const USER = 10_001;

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a program sees of the system: as an image has it. */
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/etc'];

/**
 * Runs a command of Tutti in a container by runc: another user without rights, a root that nobody can
 * write to, and /tmp too, a small /dev/shm, the network of a host.
 * @param init.runs a folder that it may write to, at the same place
 */
export function runContainer(init: {
  readonly name: string;
  readonly hosts: Hosts;
  readonly host: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly runs?: string;
  /** What it takes for /etc/hosts. */
  readonly names: string;
}): Command {
  const { name, hosts, host, folder, args, runs, names } = init;
  const bundle = join(folder, name);
  const root = join(bundle, 'rootfs');
  mkdirSync(root, { recursive: true });
  if (runs !== undefined) {
    mkdirSync(runs, { recursive: true });
    chownSync(runs, USER, USER);
  }
  const bound = (destination: string, rights: 'ro' | 'rw', source = destination) => ({
    ...{ destination, source, type: 'bind', options: ['rbind', rights] },
  });
  const memory = (destination: string, ...options: string[]) => ({
    ...{ destination, source: 'tmpfs', type: 'tmpfs', options: ['nosuid', ...options] },
  });
  const configuration = {
    ociVersion: '1.0.2',
    hostname: name,
    root: { path: 'rootfs', readonly: true },
    process: {
      user: { uid: USER, gid: USER },
      cwd: ROOT,
      args: [process.execPath, MAIN, ...args],
      env: ['PATH=/usr/bin:/bin'],
      noNewPrivileges: true,
      capabilities: {},
    },
    mounts: [
      { destination: '/proc', source: 'proc', type: 'proc', options: [] },
      memory('/dev', 'mode=755', 'size=64k'),
      memory('/dev/shm', 'mode=1777', 'size=1m'),
      ...[...SYSTEM, ROOT, folder].map((path) => bound(path, 'ro')),
      bound('/etc/hosts', 'ro', names),
      ...(runs === undefined ? [] : [bound(runs, 'rw')]),
    ],
    linux: {
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        { type: 'network', path: `/proc/${hosts.pidOf(host)}/ns/net` },
      ],
    },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(configuration));
  return command(['runc', '--root', join(folder, 'state'), 'run', '--bundle', bundle, name], name);
}
