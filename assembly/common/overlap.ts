/** Intersection over union of two boxes; 0 where one has no area. Corners may be in either order. */
export function overlapOf(boxes: usize, i: u32, j: u32): f32 {
  const a = boxes + (<usize>i << 4);
  const b = boxes + (<usize>j << 4);
  const aTop = min(load<f32>(a), load<f32>(a, 8));
  const aBottom = max(load<f32>(a), load<f32>(a, 8));
  const aLeft = min(load<f32>(a, 4), load<f32>(a, 12));
  const aRight = max(load<f32>(a, 4), load<f32>(a, 12));
  const bTop = min(load<f32>(b), load<f32>(b, 8));
  const bBottom = max(load<f32>(b), load<f32>(b, 8));
  const bLeft = min(load<f32>(b, 4), load<f32>(b, 12));
  const bRight = max(load<f32>(b, 4), load<f32>(b, 12));
  const areaA = (aBottom - aTop) * (aRight - aLeft);
  const areaB = (bBottom - bTop) * (bRight - bLeft);
  if (areaA <= 0 || areaB <= 0) return 0;
  const height = max<f32>(min(aBottom, bBottom) - max(aTop, bTop), 0);
  const width = max<f32>(min(aRight, bRight) - max(aLeft, bLeft), 0);
  const common = height * width;
  return common / (areaA + areaB - common);
}
