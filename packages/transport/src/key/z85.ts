const DIGITS =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/**
 * Binary data as ZeroMQ writes keys (rfc.zeromq.org/spec/32): five digits for four bytes.
 * @param bytes a multiple of four
 */
export function z85(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const value = bytes.readUInt32BE(at);
    for (let power = 85 ** 4; power >= 1; power /= 85)
      text += DIGITS[Math.floor(value / power) % 85];
  }
  return text;
}
