// Puts silence before and behind a 16-bit PCM WAV, so that a browser that plays it as its
// microphone is silent while the agent greets.
// usage: node pad-wav.mjs IN.wav OUT.wav SECONDS_BEFORE SECONDS_BEHIND

import { readFileSync, writeFileSync } from "node:fs";

const [input, output, before, behind] = process.argv.slice(2);
const wav = readFileSync(input);
const chunk = (name) => {
  for (let at = 12; at + 8 <= wav.length; at += 8 + wav.readUInt32LE(at + 4) + (wav.readUInt32LE(at + 4) % 2)) {
    if (wav.toString("latin1", at, at + 4) === name) return [at + 8, wav.readUInt32LE(at + 4)];
  }
  throw new Error(`${input}: no '${name}' chunk`);
};
const [format] = chunk("fmt ");
const [data, length] = chunk("data");
const bytesPerSecond = wav.readUInt32LE(format + 8);
const frame = wav.readUInt16LE(format + 12);
const silence = (seconds) => Buffer.alloc(Math.round((bytesPerSecond * Number(seconds)) / frame) * frame);
const sound = Buffer.concat([silence(before), wav.subarray(data, Math.min(data + length, wav.length)), silence(behind)]);
const header = Buffer.from(wav.subarray(0, 44));
header.write("RIFF", 0);
header.writeUInt32LE(36 + sound.length, 4);
header.write("WAVEfmt ", 8);
header.writeUInt32LE(16, 16);
wav.copy(header, 20, format, format + 16);
header.write("data", 36);
header.writeUInt32LE(sound.length, 40);
writeFileSync(output, Buffer.concat([header, sound]));
