import { largest, worse } from './measure';

/** target = left + right, element by element. Returns the largest magnitude of what it made. */
export function add(target: usize, left: usize, right: usize, length: usize): f32 {
  let first = i32x4.splat(0);
  let second = i32x4.splat(0);
  const end = target + ((length >> 4) << 6);
  while (target < end) {
    const a = f32x4.add(v128.load(left), v128.load(right));
    const b = f32x4.add(v128.load(left, 16), v128.load(right, 16));
    const c = f32x4.add(v128.load(left, 32), v128.load(right, 32));
    const d = f32x4.add(v128.load(left, 48), v128.load(right, 48));
    v128.store(target, a);
    v128.store(target, b, 16);
    v128.store(target, c, 32);
    v128.store(target, d, 48);
    first = worse(worse(first, a), c);
    second = worse(worse(second, b), d);
    target += 64;
    left += 64;
    right += 64;
  }
  const rest = (length & 15) << 2;
  const last = target + rest;
  while (target < last) {
    store<f32>(target, load<f32>(left) + load<f32>(right));
    target += 4;
    left += 4;
    right += 4;
  }
  return largest(worse(first, second), last, rest);
}
