"""The built-in tasks, in the order of the catalogue. A new task is one file and its line here."""

from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.tasks.check_1q_gate_coherence_limit import Check1QGateCoherenceLimit
from kubecal_tasks.tasks.check_2q_gate_coherence_limit import Check2QGateCoherenceLimit
from kubecal_tasks.tasks.check_bell_state import CheckBellState
from kubecal_tasks.tasks.check_bell_state_tomography import CheckBellStateTomography
from kubecal_tasks.tasks.check_chevron import CheckChevron
from kubecal_tasks.tasks.check_coarse_chevron import CheckCoarseChevron
from kubecal_tasks.tasks.check_control_amplitude import CheckControlAmplitude
from kubecal_tasks.tasks.check_cross_resonance import CheckCrossResonance
from kubecal_tasks.tasks.check_dispersive_shift import CheckDispersiveShift
from kubecal_tasks.tasks.check_drag_hpi_pulse import CheckDRAGHPIPulse
from kubecal_tasks.tasks.check_drag_pi_pulse import CheckDRAGPIPulse
from kubecal_tasks.tasks.check_electrical_delay import CheckElectricalDelay
from kubecal_tasks.tasks.check_fine_chevron import CheckFineChevron
from kubecal_tasks.tasks.check_hpi_pulse import CheckHPIPulse
from kubecal_tasks.tasks.check_noise import CheckNoise
from kubecal_tasks.tasks.check_optimal_readout_amplitude import CheckOptimalReadoutAmplitude
from kubecal_tasks.tasks.check_optimal_readout_frequency import CheckOptimalReadoutFrequency
from kubecal_tasks.tasks.check_pi_pulse import CheckPIPulse
from kubecal_tasks.tasks.check_qubit import CheckQubit
from kubecal_tasks.tasks.check_qubit_frequencies import CheckQubitFrequencies
from kubecal_tasks.tasks.check_qubit_frequency import CheckQubitFrequency
from kubecal_tasks.tasks.check_qubit_spectroscopy import CheckQubitSpectroscopy
from kubecal_tasks.tasks.check_rabi import CheckRabi
from kubecal_tasks.tasks.check_ramsey import CheckRamsey
from kubecal_tasks.tasks.check_readout_amplitude import CheckReadoutAmplitude
from kubecal_tasks.tasks.check_readout_frequency import CheckReadoutFrequency
from kubecal_tasks.tasks.check_reflection_coefficient import CheckReflectionCoefficient
from kubecal_tasks.tasks.check_resonator_frequencies import CheckResonatorFrequencies
from kubecal_tasks.tasks.check_resonator_spectroscopy import CheckResonatorSpectroscopy
from kubecal_tasks.tasks.check_simultaneous_qubit_spectroscopy import CheckSimultaneousQubitSpectroscopy
from kubecal_tasks.tasks.check_status import CheckStatus
from kubecal_tasks.tasks.check_t1 import CheckT1
from kubecal_tasks.tasks.check_t1_average import CheckT1Average
from kubecal_tasks.tasks.check_t2_echo import CheckT2Echo
from kubecal_tasks.tasks.check_t2_echo_average import CheckT2EchoAverage
from kubecal_tasks.tasks.check_waveform import CheckWaveform
from kubecal_tasks.tasks.check_zx90 import CheckZX90
from kubecal_tasks.tasks.configure import Configure
from kubecal_tasks.tasks.configure_all import ConfigureAll
from kubecal_tasks.tasks.create_drag_hpi_pulse import CreateDRAGHPIPulse
from kubecal_tasks.tasks.create_drag_pi_pulse import CreateDRAGPIPulse
from kubecal_tasks.tasks.create_hpi_pulse import CreateHPIPulse
from kubecal_tasks.tasks.create_pi_pulse import CreatePIPulse
from kubecal_tasks.tasks.create_zx90 import CreateZX90
from kubecal_tasks.tasks.dump_box import DumpBox
from kubecal_tasks.tasks.link_up import LinkUp
from kubecal_tasks.tasks.randomized_benchmarking import RandomizedBenchmarking
from kubecal_tasks.tasks.readout_classification import ReadoutClassification
from kubecal_tasks.tasks.readout_configure import ReadoutConfigure
from kubecal_tasks.tasks.x90_interleaved_randomized_benchmarking import X90InterleavedRandomizedBenchmarking
from kubecal_tasks.tasks.x180_interleaved_randomized_benchmarking import X180InterleavedRandomizedBenchmarking
from kubecal_tasks.tasks.zx90_interleaved_randomized_benchmarking import ZX90InterleavedRandomizedBenchmarking

TASKS: tuple[type[BaseTask], ...] = (
    Configure,
    ConfigureAll,
    LinkUp,
    CheckStatus,
    CheckNoise,
    DumpBox,
    ReadoutConfigure,
    CheckResonatorSpectroscopy,
    CheckResonatorFrequencies,
    CheckReflectionCoefficient,
    CheckElectricalDelay,
    CheckWaveform,
    CheckReadoutAmplitude,
    CheckQubitSpectroscopy,
    CheckSimultaneousQubitSpectroscopy,
    CheckQubitFrequencies,
    CheckControlAmplitude,
    CheckChevron,
    CheckCoarseChevron,
    CheckFineChevron,
    CheckQubit,
    CheckRabi,
    CheckQubitFrequency,
    CheckReadoutFrequency,
    CheckDispersiveShift,
    CheckOptimalReadoutAmplitude,
    CheckOptimalReadoutFrequency,
    CreateHPIPulse,
    CheckHPIPulse,
    CreatePIPulse,
    CheckPIPulse,
    CheckRamsey,
    CheckT1,
    CheckT1Average,
    CheckT2Echo,
    CheckT2EchoAverage,
    CreateDRAGHPIPulse,
    CreateDRAGPIPulse,
    CheckDRAGHPIPulse,
    CheckDRAGPIPulse,
    ReadoutClassification,
    RandomizedBenchmarking,
    X90InterleavedRandomizedBenchmarking,
    X180InterleavedRandomizedBenchmarking,
    Check1QGateCoherenceLimit,
    CheckCrossResonance,
    CreateZX90,
    CheckZX90,
    CheckBellState,
    CheckBellStateTomography,
    ZX90InterleavedRandomizedBenchmarking,
    Check2QGateCoherenceLimit,
)
