import { createHash, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';
import { TuttiError } from '@tutti/runtime';
import { z85 } from './z85.js';

/** The secret that all processes of a job share: 32 bytes. */
export type JobKey = Uint8Array;

export const KEY_BYTES = 32;

/** A Curve25519 key pair, as ZeroMQ writes it: Z85. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What follows from a job key: all who listen are one key pair, all who connect another. */
export interface CurveKeys {
  readonly server: KeyPair;
  readonly client: KeyPair;
  /** Tells the sockets of one key from those of another in the same process. */
  readonly domain: string;
}

/** Another derivation, and whoever has the same key file is refused: a version like any other. */
const SALT = 'tutti/curve/v1';

/**
 * The key pairs of both sides, by HKDF-SHA-256 (RFC 5869) from the job key.
 * @throws TuttiError BAD_CONFIG if the key is none
 */
export function curveKeysOf(key: JobKey): CurveKeys {
  if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES)
    throw new TuttiError('BAD_CONFIG', `A job key has ${KEY_BYTES} bytes`, {
      remedy: 'Make one with `tutti keys job.key`, and read it with readKeyFile.',
    });
  const server = pairOf(key, 'server');
  const client = pairOf(key, 'client');
  const domain = createHash('sha256').update(server.publicKey).digest('hex').slice(0, 32);
  return { server, client, domain };
}

function pairOf(key: JobKey, side: 'server' | 'client'): KeyPair {
  const secret = Buffer.from(hkdfSync('sha256', key, SALT, side, KEY_BYTES));
  return { publicKey: z85(publicKeyOf(secret)), secretKey: z85(secret) };
}

/** What stands before a raw X25519 key in PKCS #8 (RFC 8410). */
const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The X25519 public key of a secret one. */
function publicKeyOf(secret: Buffer): Buffer {
  const der = Buffer.concat([X25519_PKCS8, secret]);
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES);
}
