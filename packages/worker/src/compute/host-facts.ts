import { cpus, hostname } from 'node:os';
import type { HostFacts } from '@tutti/protocol';

/** What decides the bits of this process's arithmetic, and where to find it. */
export function hostFacts(arithmetic: Readonly<Record<string, string>> = {}): HostFacts {
  return {
    hostname: hostname(),
    pid: process.pid,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    node: process.version,
    arithmetic,
  };
}
