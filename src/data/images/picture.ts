// A decoded picture, the form between files and tensors.

/** 8-bit sRGB, rows from the top, pixels interleaved: `data[(y * width + x) * 3 + channel]`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A rectangle in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A picture of one colour. */
export const blank = (width: number, height: number, [r, g, b]: readonly [number, number, number]): Picture => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = r;
    data[i + 1] = g;
    data[i + 2] = b;
  }
  return { width, height, data };
};

/** The pixels inside `box`; what lies outside the picture is black, as in torchvision. */
export const crop = ({ width, height, data }: Picture, box: Box): Picture => {
  const out = new Uint8Array(box.width * box.height * 3);
  const from = Math.max(0, box.left);
  const to = Math.min(width, box.left + box.width);
  for (let y = 0; y < box.height; y++) {
    const row = box.top + y;
    if (row < 0 || row >= height || to <= from) continue;
    out.set(data.subarray((row * width + from) * 3, (row * width + to) * 3), (y * box.width + from - box.left) * 3);
  }
  return { width: box.width, height: box.height, data: out };
};
