import assert from 'node:assert/strict';
import { resolveSettings } from './resolve.js';

/** All that Kubernetes sets for one service with one named port. */
function linksOf(service: string, host: string, port: number): Record<string, string> {
  const name = service.toUpperCase().replaceAll('-', '_');
  const url = `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_ZMQ_1`]: String(port),
    [`${name}_PORT`]: url,
    [`${name}_PORT_${port}_TCP`]: url,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: host,
  };
}

describe('the variables that Kubernetes sets for its services', () => {
  for (const service of ['tutti', 'tutti-coordinator', 'tutti-server-addresses', 'tutti-config'])
    for (const host of ['10.96.0.17', 'fd00::11'])
      it(`are passed over where a service is called ${service} (${host})`, () => {
        const environment = { ...linksOf(service, host, 29500), TUTTI_WORKERS: '3' };
        const { settings } = resolveSettings({ environment, command: 'coordinator' });
        assert.deepEqual(
          settings,
          resolveSettings({ flags: { workers: 3 }, command: 'coordinator' }).settings,
        );
      });

  it('are passed over where a service is called master', () => {
    const environment = { MASTER_ADDR: '10.0.0.5', ...linksOf('master', '10.96.0.17', 2222) };
    const { settings } = resolveSettings({ environment, command: 'worker' });
    assert.equal(settings.coordinator, 'tcp://10.0.0.5:29500');
  });

  for (const [name, value] of [
    ['TUTTI_PORT', '29500'],
    ['TUTTI_COORDINATOR_PORT', '29500'],
    ['TUTTI_SERVICE_HOST', 'head node'],
    ['TUTTI_PORTS', 'tcp://10.0.0.1:1'],
  ] as const)
    it(`hide no mistake: ${name}=${value} is one`, () => {
      assert.throws(() => resolveSettings({ environment: { [name]: value } }), {
        code: 'BAD_CONFIG',
        message: new RegExp(`no setting ${name}`),
      });
    });
});
