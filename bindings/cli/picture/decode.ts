import { Pint8Error } from "../../errors.ts";
import type { Picture } from "../../values/picture.ts";

const FORMATS = {
  PNG: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  JPEG: [0xff, 0xd8, 0xff],
  BMP: [0x42, 0x4d],
} as const;
type Format = keyof typeof FORMATS;

/** The picture format of a file, by its first bytes. */
export function pictureFormat(bytes: Uint8Array): Format | undefined {
  const formats = Object.entries(FORMATS) as [Format, readonly number[]][];
  return formats.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte))?.[0];
}

/** Decodes a PNG, JPEG or BMP file; its decoder is loaded when it is first needed. */
export async function decodePicture(format: Format, bytes: Uint8Array, where: string): Promise<Picture> {
  try {
    return await decoders[format](bytes, where);
  } catch (cause) {
    if (cause instanceof Pint8Error) throw cause;
    throw new Pint8Error(
      "INVALID_INPUT",
      {
        where,
        expected: `a whole ${format} picture`,
        received: cause instanceof Error && cause.message ? oneLine(cause.message) : "damaged bytes",
        hint: "Open the file in a picture viewer and save it again.",
      },
      { cause },
    );
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().replace(/[.:]$/, "");
}

const decoders: { readonly [F in Format]: (bytes: Uint8Array, where: string) => Promise<Picture> } = {
  PNG: async (bytes, where) => (await import("./png.ts")).decodePng(bytes, where),
  JPEG: async (bytes, where) => (await import("./jpeg.ts")).decodeJpeg(bytes, where),
  BMP: async (bytes, where) => (await import("./bmp.ts")).decodeBmp(bytes, where),
};
