/* The board mps2-an385, as far as a device needs it. */
#include "board.h"

#include <string.h>

/* ARM's SysTick, and a UART of its Cortex-M System Design Kit. */
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SYSTICK_CONTROL REGISTER(0xe000e010)
#define SYSTICK_RELOAD REGISTER(0xe000e014)
#define SYSTICK_VALUE REGISTER(0xe000e018)
#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CONTROL REGISTER(0x40004008)
#define UART_DIVISOR REGISTER(0x40004010)

enum { CLOCK_HZ = 25000000 };
enum { SYS_WRITE0 = 0x04, SYS_GET_CMDLINE = 0x15, SYS_EXIT = 0x18 };
/* Of SYS_EXIT: it is well, or not. */
enum { APPLICATION_EXIT = 0x20026, RUN_TIME_ERROR = 0x20023 };

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

static volatile uint32_t milliseconds;

static int semihost(int operation, void *argument)
{
    register int r0 __asm__("r0") = operation;
    register void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void tick(void)
{
    milliseconds++;
}

static void fault(void)
{
    board_print("fault\n", 6);
    board_exit(true);
}

void reset(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 7;
    UART_DIVISOR = 16;
    UART_CONTROL = 3;
    board_exit(main() != 0);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault,
    [15] = tick,
};

bool board_read(uint8_t *byte)
{
    if ((UART_STATE & 2) == 0) return false;
    *byte = (uint8_t)UART_DATA;
    return true;
}

void board_write(uint8_t byte)
{
    while (UART_STATE & 1) continue;
    UART_DATA = byte;
}

uint32_t board_now(void)
{
    return milliseconds;
}

void board_arguments(char *line, size_t size)
{
    struct {
        char *line;
        size_t size;
    } block = {line, size};
    if (semihost(SYS_GET_CMDLINE, &block) != 0) line[0] = '\0';
}

void board_print(const char *text, size_t length)
{
    char piece[65];
    while (length > 0) {
        const size_t some = length < sizeof piece - 1 ? length : sizeof piece - 1;
        memcpy(piece, text, some);
        piece[some] = '\0';
        (void)semihost(SYS_WRITE0, piece);
        text += some;
        length -= some;
    }
}

void board_exit(bool failed)
{
    for (;;) {
        (void)semihost(SYS_EXIT, (void *)(failed ? RUN_TIME_ERROR : APPLICATION_EXIT));
    }
}
