// SPDX-License-Identifier: MIT
// Two sectors of flash in a file: programming clears bits, erasing sets FF.
//
// Spec: SPEC.md §1.2, §1.6. Each write is in the file before the call returns, so that a boot number is
// never given twice. A file that is not there is an empty flash.

#include "posix.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static uint8_t contents[FLASH_BYTES];
static int file = -1;

void open_flash(void) {
  memset(contents, 0xff, sizeof contents);
  if (options.flash == NULL) {
    say("no --flash FILE: boot numbers start anew, a hub that knows this node refuses them");
    return;
  }
  file = open(options.flash, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) refuse(1, "%s: %s", options.flash, strerror(errno));
  const ssize_t length = pread(file, contents, sizeof contents, 0);
  if (length < 0) refuse(1, "%s: %s", options.flash, strerror(errno));
  memset(contents + length, 0xff, sizeof contents - (size_t)length);
}

static bool inside(uint32_t offset, uint32_t length) {
  return offset <= FLASH_BYTES && length <= FLASH_BYTES - offset;
}

static int keep(uint32_t offset, uint32_t length) {
  if (file < 0) return 0;
  if (pwrite(file, contents + offset, length, offset) != (ssize_t)length || fdatasync(file) != 0)
    refuse(1, "%s: %s", options.flash, strerror(errno));
  return 0;
}

int read_flash(uint32_t offset, uint8_t *target, uint32_t length) {
  if (!inside(offset, length)) return -1;
  memcpy(target, contents + offset, length);
  return 0;
}

int erase_flash(uint32_t offset) {
  if (offset % SECTOR_BYTES != 0 || !inside(offset, SECTOR_BYTES)) return -1;
  memset(contents + offset, 0xff, SECTOR_BYTES);
  return keep(offset, SECTOR_BYTES);
}

int program_flash(uint32_t offset, const uint8_t *source, uint32_t length) {
  if (!inside(offset, length)) return -1;
  for (uint32_t i = 0; i < length; i++) contents[offset + i] &= source[i];
  return keep(offset, length);
}
