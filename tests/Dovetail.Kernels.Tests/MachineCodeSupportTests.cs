using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Dovetail.Kernels.MachineCode;

namespace Dovetail.Kernels.Tests;

public sealed class MachineCodeSupportTests
{
    /// <summary>The runtime is loaded a second time, where its native calls can be made to fail.</summary>
    [Fact]
    public void A_system_without_the_C_library_has_no_machine_code_and_says_so()
    {
        bool asksTheSystem = TileFunctions.IsSupported(TileArithmetic.Float32Window16); // a CPU without AVX-512 need not be asked further
        var context = new AssemblyLoadContext("without libc");
        Assembly runtime = context.LoadFromAssemblyPath(typeof(TileFunctions).Assembly.Location);
        int asked = 0;
        NativeLibrary.SetDllImportResolver(runtime, (name, _, _) =>
        {
            Assert.Equal("libc", name);
            asked++;
            throw new DllNotFoundException();
        });
        Type functions = runtime.GetType(typeof(TileFunctions).FullName!, throwOnError: true)!,
            arithmetic = runtime.GetType(typeof(TileArithmetic).FullName!, throwOnError: true)!;
        MethodInfo isSupported = functions.GetMethod(nameof(TileFunctions.IsSupported))!;
        Assert.Equal(false, isSupported.Invoke(null, [Enum.ToObject(arithmetic, (int)TileArithmetic.Float32Window16)]));
        Assert.Equal(asksTheSystem ? 1 : 0, asked);
    }
}
