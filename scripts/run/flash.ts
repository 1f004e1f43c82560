// SPDX-License-Identifier: MIT
// Puts an image on a board that shows itself as a drive.
//
// RP2040 datasheet 2.8.4: with BOOTSEL held at power-on the boot ROM is a drive of one file, INFO_UF2.TXT, and takes a UF2
// file. Only a drive that says RPI-RP2 is written to. The file is one piece in memory and is written from its start to
// its end: the ROM starts the program when its last block has come, and the drive goes away under the writer.

import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure, systemCode } from "../cli/failure.ts";

const INFO = "INFO_UF2.TXT";
const IS_RP2040 = /^Board-ID: RPI-RP2\s*$/m;
// Where desktops mount drives: folders of users, folders of drives.
const ROOTS: readonly string[] = ["/media", "/run/media", "/mnt", "/Volumes"];
const DEPTH_MAX = 2;
const ENTRIES_MAX = 200; // of one folder

/** Drives of boards that wait for an image. */
export function findDrives(roots: readonly string[] = ROOTS): string[] {
  return roots.flatMap((root) => drivesIn(root, 0)).toSorted();
}

function drivesIn(folder: string, depth: number): string[] {
  if (isDrive(folder)) return [folder];
  return depth === DEPTH_MAX
    ? []
    : foldersIn(folder).flatMap((name) => drivesIn(join(folder, name), depth + 1));
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .slice(0, ENTRIES_MAX)
      .map(({ name }) => name);
  } catch {
    return []; // not there, or somebody else's
  }
}

function isDrive(folder: string): boolean {
  try {
    return IS_RP2040.test(readFileSync(join(folder, INFO), "latin1"));
  } catch {
    return false;
  }
}

/** The one drive to write to: `wanted`, else the only one there is. Throws Failure that says what to press. */
export function chooseDrive(wanted: string | undefined, file: string, roots = ROOTS): string {
  const press = "hold BOOTSEL while you plug the board in, wait for its drive and run this again";
  if (wanted !== undefined) {
    if (isDrive(wanted)) return wanted;
    const what = existsSync(wanted) ? "is no drive of an RP2040" : "is not there";
    throw new Failure(EXIT_NOT_FOUND, `${wanted} ${what}: it has no ${INFO} of RPI-RP2`, press);
  }
  const drives = findDrives(roots);
  const [only] = drives;
  if (drives.length > 1)
    throw new Failure(
      EXIT_FAILED,
      `${drives.length} boards wait for an image: ${drives.join(", ")}`,
      `say which: --drive ${drives[0]}`,
    );
  if (only !== undefined) return only;
  const other = `--drive PATH if it is mounted elsewhere, or copy ${file} to it`;
  throw new Failure(EXIT_NOT_FOUND, "no board waits for an image", `${press}; ${other}`);
}

/** Writes a UF2 file to a drive. Throws Failure. */
export function writeToDrive(drive: string, name: string, octets: Uint8Array): string {
  const file = join(drive, name);
  const { bavail, bsize } = statfsSync(drive);
  if (bavail * bsize < octets.length)
    throw new Failure(
      EXIT_FAILED,
      `${drive} has room for ${bavail * bsize} octets, the image has ${octets.length}`,
      "is it a board's drive? unplug it, hold BOOTSEL and plug it in again",
    );
  const descriptor = openSync(file, "w");
  let written = 0;
  try {
    while (written < octets.length) written += writeSync(descriptor, octets, written);
    fsyncSync(descriptor);
  } catch (error) {
    if (written < octets.length || isDrive(drive)) throw torn(file, written, error);
  } finally {
    close(descriptor); // the board has everything and may be gone
  }
  return file;
}

function close(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    return; // with the drive
  }
}

function torn(file: string, written: number, error: unknown): Failure {
  rmSync(file, { force: true });
  return new Failure(
    EXIT_FAILED,
    `${file}: the copy ended after ${written} octets (${systemCode(error) ?? String(error)})`,
    "the board still waits: unplug it, hold BOOTSEL, plug it in and run this again",
    error,
  );
}
