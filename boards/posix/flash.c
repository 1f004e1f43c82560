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

static bool keep(uint32_t offset, uint32_t length) {
  if (file < 0) return true;
  if (pwrite(file, contents + offset, length, offset) != (ssize_t)length || fdatasync(file) != 0)
    refuse(1, "%s: %s", options.flash, strerror(errno));
  return true;
}

bool read_link_flash(uint32_t offset, uint8_t *target, uint32_t length) {
  memcpy(target, contents + offset, length);
  return true;
}

bool erase_link_flash(uint32_t offset) {
  memset(contents + offset, 0xff, SECTOR_BYTES);
  return keep(offset, SECTOR_BYTES);
}

bool program_link_flash(uint32_t offset, const uint8_t *source, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) contents[offset + i] &= source[i];
  return keep(offset, length);
}
