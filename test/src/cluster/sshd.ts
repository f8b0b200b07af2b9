import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as lasting } from 'node:timers/promises';
import { keepAccount, lastLinesOf } from '../processes/accounts.js';
import { freePorts } from './free-ports.js';
import { placeOf } from './needs.js';

/** An SSH server of this user's own, with keys that nobody else has. */
export interface Sshd {
  /** The client that reaches it. */
  readonly client: string;
  end(): Promise<void>;
}

export async function startSshd(folder: string): Promise<Sshd> {
  const at = (name: string) => join(folder, name);
  for (const key of ['host', 'id'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  copyFileSync(at('id.pub'), at('authorized_keys'));
  const port = await freePorts();
  writeFileSync(
    at('sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      'PidFile none',
      `AuthorizedKeysFile ${at('authorized_keys')}`,
      'StrictModes no',
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      'UsePAM no',
    ].join('\n'),
  );
  const known = execFileSync('cut', ['-d', ' ', '-f', '1,2', at('host.pub')], { encoding: 'utf8' });
  writeFileSync(at('known_hosts'), `* ${known}`);
  // Where it puts those who have not logged in yet; only root has it so.
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd');
  const server = spawn(placeOf('sshd')!, ['-D', '-e', '-f', at('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  keepAccount('sshd', () => lastLinesOf(said));
  await listening(port, () => server.exitCode !== null && said);
  const options = [`Port ${port}`, `IdentityFile ${at('id')}`, 'IdentitiesOnly yes'].concat(
    `UserKnownHostsFile ${at('known_hosts')}`,
    'GlobalKnownHostsFile none',
    'LogLevel ERROR',
  );
  writeFileSync(at('ssh_config'), options.join('\n'));
  return {
    client: `ssh -F ${at('ssh_config')}`,
    async end() {
      server.kill();
      if (server.exitCode === null) await once(server, 'exit');
    },
  };
}

/** It does not say when it listens; at once, on any machine. */
async function listening(port: number, failed: () => string | false): Promise<void> {
  for (;;) {
    const reason = failed();
    if (reason !== false) throw new Error(`sshd ended: ${reason}`);
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await lasting(20);
  }
}
