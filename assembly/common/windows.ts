/** Where windows stand on images: what the parameter blocks of pooling and convolutions have in common. Sizes in elements. */

/** Windows of kH·kW on images of inH·inW, outH·outW of them. */
@unmanaged
export class Windows {
  inH: u32;
  inW: u32;
  outH: u32;
  outW: u32;
  kH: u32;
  kW: u32;
  strideH: u32;
  strideW: u32;
  /** How far the first window stands above and left of the image. */
  padTop: i32;
  padLeft: i32;
}

/** Windows of a convolution: patches `[kH,kW,inC]` whose taps may stand apart. */
@unmanaged
export class Patches extends Windows {
  inC: u32;
  dilationH: u32;
  dilationW: u32;
}
