/** target = left + right, element by element. */
export function add(target: usize, left: usize, right: usize, length: usize): void {
  const end = target + ((length >> 4) << 6);
  while (target < end) {
    v128.store(target, f32x4.add(v128.load(left), v128.load(right)));
    v128.store(target, f32x4.add(v128.load(left, 16), v128.load(right, 16)), 16);
    v128.store(target, f32x4.add(v128.load(left, 32), v128.load(right, 32)), 32);
    v128.store(target, f32x4.add(v128.load(left, 48), v128.load(right, 48)), 48);
    target += 64;
    left += 64;
    right += 64;
  }
  const last = target + ((length & 15) << 2);
  while (target < last) {
    store<f32>(target, load<f32>(left) + load<f32>(right));
    target += 4;
    left += 4;
    right += 4;
  }
}
