import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as lasting } from 'node:timers/promises';
import type { Hosts } from '../processes/hosts.js';

/** Ends all that runs on some hosts, whoever its parents were, but not the hosts. */
export async function endAllOf(hosts: Hosts, names: readonly string[]): Promise<void> {
  const holders = names.map((name) => hosts.pidOf(name));
  const networks = new Set(holders.map((pid) => networkOf(`${pid}`)));
  const left = () =>
    readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || holders.includes(Number(pid))) return false;
      return networks.has(networkOf(pid));
    });
  while (left().length > 0) {
    for (const pid of left())
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // Ended just now.
      }
    await lasting(20);
  }
}

/** Undefined for what has ended, and for what is of others. */
function networkOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}
