import assert from 'node:assert/strict';
import { TuttiError } from '@tutti/runtime';
import { tutti } from '../testing.js';
import { runCheck } from './check.js';
import { checkOldDependencies } from './libraries.js';
import {
  checkCores,
  checkCpu,
  checkMemory,
  checkNode,
  checkOpenFiles,
  checkSharedMemory,
} from './machine.js';

const GIB = 2 ** 30;

const ON = { by: 'tutti', setting: '1' } as const;
const LEFT = {
  by: 'tensorflow',
  setting: undefined,
  reason: 'the addon is of an older build',
} as const;

describe('tutti doctor', () => {
  it('tells what the processor lacks, and who chose to compute with oneDNN', () => {
    const { found } = checkCpu(new Set(['avx', 'avx2', 'fma']), 'A', ON);
    assert.equal(found, 'A; avx2, fma; lacks avx512f, avx512_vnni, amx_bf16; oneDNN on');
    const left = checkCpu(new Set(['avx', 'avx2', 'fma']), 'A', LEFT);
    assert.match(left.found, /oneDNN off, by TensorFlow's choice: the addon is of an older build/);
    assert.match(left.fix ?? '', /npx tutti setup/);
  });

  it('judges Node, CPU, cores, memory and /dev/shm, and says what to fix', () => {
    const cases: [{ status: string; fix?: string }, string][] = [
      [checkNode('v20.18.0'), 'fail'],
      [checkNode('v18.20.0'), 'fail'],
      [checkNode('v20.19.0'), 'ok'],
      [checkNode('v23.1.0'), 'warn'],
      [checkNode('v26.0.0'), 'ok'],
      [checkCpu(new Set(['avx', 'avx2', 'fma', 'avx512f']), 'A', ON), 'ok'],
      [checkCpu(new Set(['avx', 'avx2', 'fma']), 'A', undefined), 'ok'],
      [checkCpu(new Set(['avx', 'avx2', 'fma']), 'A', LEFT), 'warn'],
      [checkCpu(new Set(['avx', 'avx2', 'fma', 'avx512_vnni']), 'A', LEFT), 'ok'],
      [checkCpu(new Set(['avx', 'avx2', 'fma']), 'A', { by: 'user', setting: '0' }), 'warn'],
      [checkCpu(new Set(['avx']), 'A', LEFT), 'warn'],
      [checkCpu(new Set(['sse2']), 'A', LEFT), 'fail'],
      [checkCpu(undefined, 'Apple M3', LEFT), 'ok'],
      [checkCores(1), 'warn'],
      [checkCores(2), 'ok'],
      [checkMemory(0.2 * GIB, 8 * GIB), 'fail'],
      [checkMemory(1 * GIB, 8 * GIB), 'warn'],
      [checkMemory(6 * GIB, 8 * GIB), 'ok'],
      [checkSharedMemory({ freeBytes: 64 * 2 ** 20, totalBytes: 64 * 2 ** 20 }), 'warn'],
      [checkSharedMemory(undefined), 'warn'],
      [checkSharedMemory({ freeBytes: GIB, totalBytes: GIB }), 'ok'],
      [checkOpenFiles(undefined), 'ok'],
      [checkOpenFiles(Number.POSITIVE_INFINITY), 'ok'],
      [checkOpenFiles(1024), 'ok'],
      [checkOpenFiles(256), 'warn'],
      [checkOpenFiles(90), 'fail'],
      [checkOldDependencies([]), 'ok'],
      [checkOldDependencies([{ name: 'tar', version: '6.2.1', wanted: '7.5.23' }]), 'warn'],
    ];
    for (const [finding, status] of cases) {
      assert.equal(finding.status, status, JSON.stringify(finding));
      assert.equal(finding.fix === undefined, status === 'ok', JSON.stringify(finding));
    }
  });

  it('takes a check that throws for failed and goes on', async () => {
    const finding = await runCheck('x', () => {
      throw new Error('boom');
    });
    assert.deepEqual([finding.status, finding.found], ['fail', 'boom']);
    const known = await runCheck('x', () => {
      throw new TuttiError('NO_TENSORFLOW', 'it is gone', { remedy: 'Install it.' });
    });
    assert.deepEqual([known.found, known.fix], ['it is gone', 'Install it.']);
  });

  it('prints what a project writes into its package.json, as it is', () => {
    const old = [{ name: 'tar', version: '6.2.1', wanted: '7.5.23' }];
    const { found, fix } = checkOldDependencies(old);
    assert.match(found, /tar 6\.2\.1 \(older than 7\.5\.23\)/);
    const { overrides } = JSON.parse(`{${fix!.slice(fix!.indexOf('"overrides"'))}}`);
    assert.ok('tar' in overrides['@tensorflow/tfjs-node']);
  });

  it('checks everything, and exits with 1 exactly if something failed', async () => {
    const { code, json } = await tutti(['doctor', '--json']);
    const lines = json();
    const last = lines.at(-1)!;
    assert.equal(last.event, 'finished');
    assert.equal(code, last.status === 'fail' ? 1 : 0);
    const names = lines.slice(0, -1).map(({ name }) => name);
    for (const name of [
      'node',
      'cpu',
      'memory',
      'kernels',
      'loopback',
      'tensorflow',
      'overrides',
    ]) {
      assert.ok(names.includes(name), name);
    }
    const failed = lines.filter(({ status }) => status === 'fail' && status !== undefined);
    assert.equal(failed.length > 0, code === 1);
  });
});
